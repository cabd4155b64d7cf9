// The two calls that the demo's runner makes over gRPC, as an operator's tool would. (The engines
// use libbaton alone.)
#ifndef BATON_TESTS_DEMO_RUNNER_CONTROL_CALLS_H_
#define BATON_TESTS_DEMO_RUNNER_CONTROL_CALLS_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"

namespace baton::demo {

// Returns once every server is ready. At the deadline the error names the servers that are not, and
// the slots that are missing. `guard` is called now and then; its error ends the wait.
absl::Status WaitUntilReady(const std::string& bootstrap, const std::vector<std::string>& servers,
                            std::chrono::steady_clock::time_point deadline,
                            const std::function<absl::Status()>& guard);

// Of the agent behind a Unix socket.
absl::StatusOr<baton::v1::AgentStatusResponse> AgentStatus(const std::string& service_socket,
                                                           std::chrono::milliseconds timeout);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_CONTROL_CALLS_H_
