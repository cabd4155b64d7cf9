// The agent's own gRPC service on a Unix socket in its pod: status, rooms, aborts.
#ifndef BATON_TRANSFER_AGENT_SERVICE_AGENT_SERVICE_H_
#define BATON_TRANSFER_AGENT_SERVICE_AGENT_SERVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "transfer_agent/app/agent.h"

namespace baton::agent {

// Serves until it is destroyed; `agent` is borrowed.
class AgentService {
 public:
  // CONFIG names the socket that cannot be bound.
  static absl::StatusOr<std::unique_ptr<AgentService>> Start(const std::string& socket_path,
                                                             Agent* agent);
  virtual ~AgentService() = default;
};

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_SERVICE_AGENT_SERVICE_H_
