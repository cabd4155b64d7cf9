#include "transfer_agent/service/agent_service.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "baton/v1/agent_service.grpc.pb.h"
#include "client/rpc/status.h"
#include "common/reason.h"
#include "transfer_agent/service/ask_workers.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::agent {
namespace {

constexpr auto kWorkerTimeout = std::chrono::milliseconds(2000);
constexpr uint32_t kRoomsDefault = 1000;
constexpr uint32_t kRoomsMax = 100000;

grpc::Status NoAnswer() {
  return ToGrpc(Error(Reason::kNotReady, "a worker of the agent did not answer within 2 s"));
}

// Synchronous: a few calls a minute, from operators.
class Service final : public v1::Agent::Service {
 public:
  explicit Service(agent::Agent* agent) : agent_(agent) {}

  grpc::Status Status(grpc::ServerContext*, const v1::AgentStatusRequest*,
                      v1::AgentStatusResponse* response) override {
    auto gathered = std::make_shared<v1::AgentStatusResponse>();
    const bool answered = AskWorkers(
        agent_->workers(),
        [gathered](worker::WorkerCore& core, TimePoint) { core.Describe(gathered.get()); },
        kWorkerTimeout);
    if (!answered) return NoAnswer();
    // Each worker names the paths it uses; a peer is listed once.
    std::map<std::pair<std::string, uint64_t>, std::string> paths;
    for (const v1::PeerStatus& peer : gathered->peers()) {
      paths[{peer.agent_address(), peer.epoch()}] = peer.transport();
    }
    gathered->clear_peers();
    *response = *gathered;
    response->set_version(kAgentVersion);
    response->set_epoch(agent_->epoch().value());
    response->set_address(agent_->address());
    response->set_workers(agent_->workers().size());
    for (const v1::TransportStatus& transport : agent_->transports()) {
      *response->add_transports() = transport;
    }
    for (const control::PeerLinkStatus& link : agent_->Peers()) {
      v1::PeerStatus* peer = response->add_peers();
      peer->set_agent_address(link.peer.address);
      peer->set_epoch(link.peer.epoch.value());
      peer->set_state(link.up ? "up" : "down");
      peer->set_transport(paths[{link.peer.address, link.peer.epoch.value()}]);
    }
    return grpc::Status::OK;
  }

  grpc::Status ListRooms(grpc::ServerContext*, const v1::ListRoomsRequest* request,
                         v1::ListRoomsResponse* response) override {
    const uint32_t limit =
        request->limit() == 0 ? kRoomsDefault : std::min(request->limit(), kRoomsMax);
    auto gathered = std::make_shared<v1::ListRoomsResponse>();
    const bool failed_only = request->failed_only();
    const bool answered = AskWorkers(
        agent_->workers(),
        [gathered, failed_only, limit](worker::WorkerCore& core, TimePoint now) {
          core.DescribeRooms(failed_only, limit, now, gathered.get());
        },
        kWorkerTimeout);
    if (!answered) return NoAnswer();
    *response = *gathered;
    return grpc::Status::OK;
  }

  grpc::Status AbortRoom(grpc::ServerContext*, const v1::AbortRoomRequest* request,
                         v1::AbortRoomResponse* response) override {
    const RoomKey key = worker::FromProto(request->room());
    std::optional<RankRef> rank;
    if (request->has_rank()) rank = worker::FromProto(request->rank());
    const std::string why = request->why().empty() ? "asked for by an operator" : request->why();
    auto aborted = std::make_shared<int>(0);
    const bool answered = AskWorkers(
        agent_->workers(),
        [key, rank, why, aborted](worker::WorkerCore& core, TimePoint now) {
          *aborted += core.AbortRoom(key, rank, why, now);
        },
        kWorkerTimeout);
    if (!answered) return NoAnswer();
    response->set_aborted(*aborted);
    return grpc::Status::OK;
  }

 private:
  agent::Agent* const agent_;
};

class Server final : public AgentService {
 public:
  Server(std::string path, agent::Agent* agent) : path_(std::move(path)), service_(agent) {}
  ~Server() override {
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    }
    unlink(path_.c_str());
  }

  absl::Status Start() {
    unlink(path_.c_str());
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("unix:", path_), grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(64 << 10);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return Error(Reason::kConfig,
                   absl::StrCat("--service_socket=", path_,
                                ": cannot be bound; does its folder exist, is it writable, is the "
                                "path at most 107 bytes?"));
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AgentService>> AgentService::Start(const std::string& socket_path,
                                                                  agent::Agent* agent) {
  auto server = std::make_unique<Server>(socket_path, agent);
  if (absl::Status status = server->Start(); !status.ok()) return status;
  return std::unique_ptr<AgentService>(std::move(server));
}

}  // namespace baton::agent
