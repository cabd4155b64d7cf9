// The calls of baton.v1.Agent: what operators ask an agent.
#ifndef BATON_TRANSFER_AGENT_SERVICE_AGENT_RPCS_H_
#define BATON_TRANSFER_AGENT_SERVICE_AGENT_RPCS_H_

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "baton/v1/agent_service.grpc.pb.h"
#include "transfer_agent/app/agent.h"

namespace baton::agent {

// Synchronous: a few calls a minute. Thread-safe.
class AgentRpcs final : public v1::Agent::Service {
 public:
  // On a port that every peer can reach nothing may be changed.
  enum class Rights { kReadOnly, kAll };
  explicit AgentRpcs(Rights rights) : rights_(rights) {}

  // `agent` is borrowed until the server of this service has shut down. Before it calls fail with
  // NOT_READY.
  void Bind(Agent* agent) { agent_.store(agent); }

  grpc::Status Status(grpc::ServerContext*, const v1::AgentStatusRequest*,
                      v1::AgentStatusResponse* response) override;
  grpc::Status ListRooms(grpc::ServerContext*, const v1::ListRoomsRequest* request,
                         v1::ListRoomsResponse* response) override;
  grpc::Status AbortRoom(grpc::ServerContext*, const v1::AbortRoomRequest* request,
                         v1::AbortRoomResponse* response) override;
  grpc::Status Drain(grpc::ServerContext*, const v1::AgentDrainRequest*,
                     v1::AgentDrainResponse* response) override;
  grpc::Status TraceRoom(grpc::ServerContext*, const v1::TraceRoomRequest* request,
                         v1::TraceRoomResponse* response) override;
  grpc::Status Dump(grpc::ServerContext*, const v1::DumpRequest* request,
                    v1::DumpResponse* response) override;

 private:
  // Null: not bound yet.
  Agent* agent() const { return agent_.load(); }
  absl::Status MayChange(absl::string_view what) const;

  const Rights rights_;
  std::atomic<Agent*> agent_ = nullptr;
};

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_SERVICE_AGENT_RPCS_H_
