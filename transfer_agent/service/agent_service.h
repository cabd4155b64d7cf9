// The agent's own gRPC service: for everything on a Unix socket in its pod, and to be looked at on
// the port of its control streams.
#ifndef BATON_TRANSFER_AGENT_SERVICE_AGENT_SERVICE_H_
#define BATON_TRANSFER_AGENT_SERVICE_AGENT_SERVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "transfer_agent/app/agent.h"
#include "transfer_agent/app/options.h"

namespace baton::agent {

// Serves until it is destroyed; `agent` is borrowed.
class AgentService {
 public:
  // On --service_socket with --socket_mode. CONFIG names the socket that cannot be bound.
  static absl::StatusOr<std::unique_ptr<AgentService>> Start(const Options& options, Agent* agent);
  virtual ~AgentService() = default;
};

// The same calls, those that change nothing: for Agent::Start, which serves them. So it is made
// before the agent, outlives it, and answers NOT_READY until it is bound.
class AgentInspection {
 public:
  static std::unique_ptr<AgentInspection> Make();
  virtual ~AgentInspection() = default;
  virtual grpc::Service* service() = 0;
  virtual void Bind(Agent* agent) = 0;
};

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_SERVICE_AGENT_SERVICE_H_
