// The verbs transport: RDMA writes by raw libibverbs, reliable connections, over one or several
// NIC ports. docs/design/verbs.md has the reasons.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FACTORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FACTORY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "transfer_agent/transport/port_metrics.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/options.h"

namespace baton::transport {

struct VerbsChoice {
  // One line: the rails that were taken.
  std::string summary;
  // One line for each port of the host: taken or not, and why.
  std::vector<std::string> candidates;
  // What is counted at each rail's port.
  std::vector<std::shared_ptr<const PortMetrics>> ports;
};

// NO_TRANSPORT lists every device that was tried and what is wrong with it. `choice` may be null.
absl::StatusOr<std::unique_ptr<Transport>> CreateVerbsTransport(const verbs::VerbsOptions& options,
                                                                VerbsChoice* choice = nullptr);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FACTORY_H_
