#include "transfer_agent/service/agent_service.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/grpc_listener.h"
#include "common/reason.h"
#include "transfer_agent/service/agent_rpcs.h"

namespace baton::agent {
namespace {

class Server final : public AgentService {
 public:
  Server(std::string path, agent::Agent* agent) : path_(std::move(path)) { rpcs_.Bind(agent); }
  ~Server() override {
    if (listener_ != nullptr) listener_->Stop();
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    }
    unlink(path_.c_str());
  }

  absl::Status Start(mode_t mode) {
    auto listener = GrpcListener::BindUnix("service", path_, mode);
    if (!listener.ok()) {
      return Error(Reason::kConfig,
                   absl::StrCat("--service_socket=", path_, ": ", listener.status().message()));
    }
    listener_ = *std::move(listener);
    grpc::ServerBuilder builder;
    listener_->Join(&builder);
    builder.RegisterService(&rpcs_);
    builder.SetMaxReceiveMessageSize(64 << 10);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return Error(Reason::kSystem, "gRPC does not start");
    listener_->Start();
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  AgentRpcs rpcs_{AgentRpcs::Rights::kAll};
  // Hands its connections to the server, and is destroyed after it.
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<grpc::Server> server_;
};

class Inspection final : public AgentInspection {
 public:
  grpc::Service* service() override { return &rpcs_; }
  void Bind(agent::Agent* agent) override { rpcs_.Bind(agent); }

 private:
  AgentRpcs rpcs_{AgentRpcs::Rights::kReadOnly};
};

}  // namespace

absl::StatusOr<std::unique_ptr<AgentService>> AgentService::Start(const Options& options,
                                                                  agent::Agent* agent) {
  auto server = std::make_unique<Server>(options.service_socket, agent);
  if (absl::Status status = server->Start(SocketMode(options)); !status.ok()) return status;
  return std::unique_ptr<AgentService>(std::move(server));
}

std::unique_ptr<AgentInspection> AgentInspection::Make() { return std::make_unique<Inspection>(); }

}  // namespace baton::agent
