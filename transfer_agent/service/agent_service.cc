#include "transfer_agent/service/agent_service.h"

#include <errno.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/service/agent_rpcs.h"

namespace baton::agent {
namespace {

class Server final : public AgentService {
 public:
  Server(std::string path, agent::Agent* agent) : path_(std::move(path)) { rpcs_.Bind(agent); }
  ~Server() override {
    if (server_ != nullptr) {
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    }
    unlink(path_.c_str());
  }

  absl::Status Start(mode_t mode) {
    unlink(path_.c_str());
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("unix:", path_), grpc::InsecureServerCredentials());
    builder.RegisterService(&rpcs_);
    builder.SetMaxReceiveMessageSize(64 << 10);
    // gRPC binds the socket itself. Nobody may connect with more rights than `mode` gives in the
    // moment before they are set; what else the process creates in it gets less than usual.
    const mode_t before = umask(0777 & ~mode);
    server_ = builder.BuildAndStart();
    umask(before);
    if (server_ == nullptr) {
      return Error(Reason::kConfig,
                   absl::StrCat("--service_socket=", path_,
                                ": cannot be bound; does its folder exist, is it writable, is the "
                                "path at most 107 bytes?"));
    }
    if (chmod(path_.c_str(), mode) != 0) {
      return SystemError(absl::StrCat("chmod of --service_socket=", path_), errno);
    }
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  AgentRpcs rpcs_{AgentRpcs::Rights::kAll};
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
