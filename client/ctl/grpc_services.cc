#include "client/ctl/grpc_services.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/rpc/channel.h"
#include "client/rpc/status.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

class GrpcServices : public Services {
 public:
  explicit GrpcServices(const Options& options)
      : timeout_(options.timeout_ms),
        bootstrap_name_(absl::StrCat("the bootstrap service at --bootstrap=", options.bootstrap)),
        agent_name_(absl::StrCat("the agent at --service_socket=", options.service_socket)),
        bootstrap_(v1::Bootstrap::NewStub(MakeChannel(options.bootstrap))),
        agent_(v1::Agent::NewStub(MakeChannel(absl::StrCat("unix:", options.service_socket)))) {}

  absl::StatusOr<v1::ListServersResponse> ListServers(
      const v1::ListServersRequest& request) override {
    return Call(bootstrap_.get(), &v1::Bootstrap::Stub::ListServers, request, bootstrap_name_);
  }
  absl::StatusOr<v1::GetServerResponse> GetServer(const v1::GetServerRequest& request) override {
    return Call(bootstrap_.get(), &v1::Bootstrap::Stub::GetServer, request, bootstrap_name_);
  }
  absl::Status Watch(const v1::WatchRequest& request, const OnWatch& on) override;

  absl::StatusOr<v1::AgentStatusResponse> AgentStatus() override {
    return Call(agent_.get(), &v1::Agent::Stub::Status, v1::AgentStatusRequest(), agent_name_);
  }
  absl::StatusOr<v1::ListRoomsResponse> ListRooms(const v1::ListRoomsRequest& request) override {
    return Call(agent_.get(), &v1::Agent::Stub::ListRooms, request, agent_name_);
  }
  absl::StatusOr<v1::AbortRoomResponse> AbortRoom(const v1::AbortRoomRequest& request) override {
    return Call(agent_.get(), &v1::Agent::Stub::AbortRoom, request, agent_name_);
  }

 private:
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub* stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, const std::string& name) {
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(timeout_));
    Response response;
    const grpc::Status status = (stub->*method)(&context, request, &response);
    if (status.ok()) return response;
    return Explain(status, name);
  }

  // What the service itself says stands for itself; anything else names where it was looked for.
  absl::Status Explain(const grpc::Status& status, const std::string& name) const {
    if (!status.error_details().empty()) return FromGrpc(status);
    if (status.error_code() == grpc::DEADLINE_EXCEEDED) {
      return Error(Reason::kDeadline,
                   absl::StrCat(name, " did not answer within --timeout_ms=", timeout_.count()));
    }
    return FromGrpc(status, absl::StrCat(name, " cannot be reached"));
  }

  const std::chrono::milliseconds timeout_;
  const std::string bootstrap_name_;
  const std::string agent_name_;
  const std::unique_ptr<v1::Bootstrap::Stub> bootstrap_;
  const std::unique_ptr<v1::Agent::Stub> agent_;
};

absl::Status GrpcServices::Watch(const v1::WatchRequest& request, const OnWatch& on) {
  // A stream has no deadline, so a call that has one goes first: it finds a service that is away.
  // Later the channel's keepalive notices.
  v1::ListServersRequest probe;
  probe.set_model("-");
  if (auto answer = ListServers(probe); !answer.ok()) return answer.status();
  grpc::ClientContext context;
  auto reader = bootstrap_->Watch(&context, request);
  v1::WatchResponse response;
  bool more = true;
  while (more && reader->Read(&response)) more = on(response);
  context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!more) return absl::OkStatus();
  if (status.ok())
    return Error(Reason::kPeerLost, absl::StrCat(bootstrap_name_, " ended the watch"));
  return Explain(status, bootstrap_name_);
}

}  // namespace

std::unique_ptr<Services> MakeGrpcServices(const Options& options) {
  return std::make_unique<GrpcServices>(options);
}

}  // namespace baton::ctl
