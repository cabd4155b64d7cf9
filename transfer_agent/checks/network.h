// Names and connections, with a limit on the time. Plain functions, thread-safe.
#ifndef BATON_TRANSFER_AGENT_CHECKS_NETWORK_H_
#define BATON_TRANSFER_AGENT_CHECKS_NETWORK_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace baton::checks {

// The resolver cannot be stopped: when it takes longer, a thread of its own goes on waiting for it.
absl::Status ResolveName(const std::string& name, std::chrono::milliseconds limit);

// One status for each host:port, whose host is numeric or resolves within the limit.
std::vector<absl::Status> ConnectToAll(absl::Span<const std::string> addresses,
                                       std::chrono::milliseconds limit);

// "[fe80::1]:7400" to {"fe80::1", "7400"}.
std::pair<std::string, std::string> SplitHostPort(const std::string& address);

}  // namespace baton::checks

#endif  // BATON_TRANSFER_AGENT_CHECKS_NETWORK_H_
