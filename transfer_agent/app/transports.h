// Which transports a worker gets.
#ifndef BATON_TRANSFER_AGENT_APP_TRANSPORTS_H_
#define BATON_TRANSFER_AGENT_APP_TRANSPORTS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "transfer_agent/app/options.h"
#include "transfer_agent/app/port_scrape.h"
#include "transfer_agent/transport/transport.h"

namespace baton::agent {

struct MadeTransports {
  // Best first: shm and cuda reach agents of this host only, verbs those with a device, tcp
  // everybody.
  std::vector<std::unique_ptr<transport::Transport>> transports;
  // Of these, and of those that were tried in vain.
  std::vector<v1::TransportStatus> status;
  PortMetricsList ports;
};

// One worker's. What was asked for by name and cannot be had is an error that says what was tried;
// only with auto are verbs and cuda left out, and the status says why.
absl::StatusOr<MadeTransports> MakeTransports(const Options& options);

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_TRANSPORTS_H_
