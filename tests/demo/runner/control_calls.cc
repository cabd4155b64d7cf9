#include "tests/demo/runner/control_calls.h"

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "common/reason.h"
#include "tests/demo/runner/pause.h"

namespace baton::demo {
namespace {

using baton::v1::ServerRecord;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kCallTimeout{2000};
constexpr milliseconds kPeriod{20};

void SetTimeout(grpc::ClientContext* context, milliseconds timeout) {
  context->set_deadline(std::chrono::system_clock::now() + timeout);
}

// Empty when ready.
std::string WhyNotReady(baton::v1::Bootstrap::Stub* stub, const std::string& server) {
  grpc::ClientContext context;
  SetTimeout(&context, kCallTimeout);
  baton::v1::GetServerRequest request;
  request.set_name(server);
  baton::v1::GetServerResponse response;
  grpc::Status status = stub->GetServer(&context, request, &response);
  if (!status.ok()) return absl::StrCat(server, ": ", status.error_message());
  const ServerRecord& record = response.server();
  if (record.state() == baton::v1::SERVER_STATE_READY) return "";
  std::vector<std::string> missing;
  for (const auto& rank : record.missing()) {
    if (missing.size() == 4) break;
    missing.push_back(ToString(RankCoord{rank.dp(), rank.pp(), rank.cp(), rank.tp()}));
  }
  return absl::StrCat(server, ": ", baton::v1::ServerState_Name(record.state()), ", ",
                      record.missing_count(), " ranks missing: ", absl::StrJoin(missing, " "));
}

}  // namespace

absl::Status WaitUntilReady(const std::string& bootstrap, const std::vector<std::string>& servers,
                            steady_clock::time_point deadline,
                            const std::function<absl::Status()>& guard) {
  auto stub = baton::v1::Bootstrap::NewStub(
      grpc::CreateChannel(bootstrap, grpc::InsecureChannelCredentials()));
  for (const std::string& server : servers) {
    while (true) {
      std::string why = WhyNotReady(stub.get(), server);
      if (why.empty()) break;
      absl::Status alive = guard();
      if (!alive.ok()) return alive;
      if (steady_clock::now() > deadline) return Error(Reason::kNotReady, why);
      Pause(kPeriod);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<baton::v1::AgentStatusResponse> AgentStatus(const std::string& service_socket,
                                                           milliseconds timeout) {
  auto stub = baton::v1::Agent::NewStub(grpc::CreateChannel(absl::StrCat("unix:", service_socket),
                                                            grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  SetTimeout(&context, timeout);
  baton::v1::AgentStatusResponse response;
  grpc::Status status = stub->Status(&context, {}, &response);
  if (!status.ok()) {
    return Error(Reason::kAgentLost,
                 absl::StrCat("agent at ", service_socket, ": ", status.error_message()));
  }
  return response;
}

}  // namespace baton::demo
