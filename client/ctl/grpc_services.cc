#include "client/ctl/grpc_services.h"

#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/rpc/channel.h"
#include "client/rpc/status.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

class GrpcServices : public Services {
 public:
  explicit GrpcServices(const Options& options)
      : timeout_(options.timeout_ms),
        bootstrap_name_(absl::StrCat("the bootstrap service at --bootstrap=", options.bootstrap)),
        agent_name_(options.agent.empty()
                        ? absl::StrCat("the agent at --service_socket=", options.service_socket)
                        : absl::StrCat("the agent at --agent=", options.agent)),
        agent_address_(options.agent.empty() ? absl::StrCat("unix:", options.service_socket)
                                             : options.agent),
        bootstrap_(v1::Bootstrap::NewStub(MakeChannel(options.bootstrap))) {}

  absl::StatusOr<v1::ListServersResponse> ListServers(
      const v1::ListServersRequest& request) override;
  absl::StatusOr<v1::GetServerResponse> GetServer(const v1::GetServerRequest& request) override {
    return Call(bootstrap_.get(), &v1::Bootstrap::Stub::GetServer, request, bootstrap_name_);
  }
  absl::StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request) override {
    return Call(bootstrap_.get(), &v1::Bootstrap::Stub::Drain, request, bootstrap_name_);
  }
  absl::StatusOr<v1::ResolveRouteResponse> ResolveRoute(
      const v1::ResolveRouteRequest& request) override {
    return Call(bootstrap_.get(), &v1::Bootstrap::Stub::ResolveRoute, request, bootstrap_name_);
  }
  absl::Status Watch(const v1::WatchRequest& request, const OnWatch& on) override;

  absl::StatusOr<v1::AgentStatusResponse> AgentStatus(const std::string& at) override {
    return Ask(at, &v1::Agent::Stub::Status, v1::AgentStatusRequest());
  }
  absl::StatusOr<v1::ListRoomsResponse> ListRooms(const std::string& at,
                                                  const v1::ListRoomsRequest& request) override {
    return Ask(at, &v1::Agent::Stub::ListRooms, request);
  }
  absl::StatusOr<v1::TraceRoomResponse> TraceRoom(const std::string& at,
                                                  const v1::TraceRoomRequest& request) override {
    return Ask(at, &v1::Agent::Stub::TraceRoom, request);
  }
  absl::StatusOr<v1::DumpResponse> Dump(const v1::DumpRequest& request) override {
    return Ask("", &v1::Agent::Stub::Dump, request);
  }
  absl::StatusOr<v1::AbortRoomResponse> AbortRoom(const v1::AbortRoomRequest& request) override {
    return Ask("", &v1::Agent::Stub::AbortRoom, request);
  }
  absl::StatusOr<v1::AgentDrainResponse> DrainAgent() override {
    return Ask("", &v1::Agent::Stub::Drain, v1::AgentDrainRequest());
  }
  absl::StatusOr<Health> CheckHealth(const std::string& address,
                                     const std::string& service) override;
  checks::Host* host() override {
    if (host_ == nullptr) host_ = checks::MakeHost("");
    return host_.get();
  }

 private:
  // Stubs stay: a verb that looks again and again keeps its connections.
  v1::Agent::Stub* AgentAt(const std::string& at) {
    MutexLock lock(&mu_);
    std::unique_ptr<v1::Agent::Stub>& stub = agents_[at];
    if (stub == nullptr) {
      stub = v1::Agent::NewStub(MakeChannel(at.empty() ? agent_address_ : at));
    }
    return stub.get();
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(const std::string& at,
                               grpc::Status (v1::Agent::Stub::*method)(grpc::ClientContext*,
                                                                       const Request&, Response*),
                               const Request& request) {
    return Call(AgentAt(at), method, request,
                at.empty() ? agent_name_ : absl::StrCat("the agent at ", at));
  }
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
  const std::string agent_address_;
  const std::unique_ptr<v1::Bootstrap::Stub> bootstrap_;
  std::unique_ptr<checks::Host> host_;
  Mutex mu_;
  std::map<std::string, std::unique_ptr<v1::Agent::Stub>> agents_ ABSL_GUARDED_BY(mu_);
};

absl::StatusOr<Health> GrpcServices::CheckHealth(const std::string& address,
                                                 const std::string& service) {
  // grpc.health.v1 has one field on each side, of the same number and form as these well-known
  // messages; its own stubs are not in Debian's package.
  google::protobuf::StringValue request;
  google::protobuf::Int32Value response;
  request.set_value(service);
  const auto channel = MakeChannel(address);
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(timeout_));
  const grpc::internal::RpcMethod check("/grpc.health.v1.Health/Check",
                                        grpc::internal::RpcMethod::NORMAL_RPC);
  using Base = google::protobuf::MessageLite;
  const grpc::Status status =
      grpc::internal::BlockingUnaryCall<google::protobuf::StringValue, google::protobuf::Int32Value,
                                        Base, Base>(channel.get(), check, &context, request,
                                                    &response);
  if (status.error_code() == grpc::NOT_FOUND) {
    return absl::NotFoundError(absl::StrCat(address, " knows no health service '", service, "'"));
  }
  if (status.error_code() == grpc::UNIMPLEMENTED) {
    return absl::NotFoundError(
        absl::StrCat(address, " serves no gRPC health: give the program's --probe_listen address"));
  }
  if (!status.ok()) return Explain(status, address);
  constexpr int kServing = 1, kNotServing = 2;
  if (response.value() == kServing) return Health::kServing;
  return response.value() == kNotServing ? Health::kNotServing : Health::kUnknown;
}

// All pages as one; an older service gives everything with the first.
absl::StatusOr<v1::ListServersResponse> GrpcServices::ListServers(
    const v1::ListServersRequest& request) {
  constexpr uint32_t kPageServers = 512;
  v1::ListServersRequest ask = request;
  if (ask.page_size() == 0) ask.set_page_size(kPageServers);
  auto all = Call(bootstrap_.get(), &v1::Bootstrap::Stub::ListServers, ask, bootstrap_name_);
  while (all.ok() && !all->next_page_token().empty()) {
    // Pages are in the order of their tokens: one that goes back would not end.
    if (all->next_page_token() <= ask.page_token()) {
      return Error(Reason::kBadMessage,
                   absl::StrCat(bootstrap_name_, " repeats pages of its list"));
    }
    ask.set_page_token(all->next_page_token());
    auto page = Call(bootstrap_.get(), &v1::Bootstrap::Stub::ListServers, ask, bootstrap_name_);
    if (!page.ok()) return page.status();
    for (v1::ServerRecord& server : *page->mutable_servers()) all->add_servers()->Swap(&server);
    page->clear_servers();
    all->clear_next_page_token();
    all->MergeFrom(*page);
  }
  return all;
}

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
