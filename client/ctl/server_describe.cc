// batonctl server describe
#include "client/ctl/commands.h"
#include "client/ctl/server_view.h"

namespace baton::ctl {
namespace {

absl::Status Run(const Invocation& call) {
  v1::GetServerRequest request;
  request.set_name(call.arguments[0]);
  auto response = call.services->GetServer(request);
  if (!response.ok()) return response.status();
  call.printer->Show(*response, ServerDetails(response->server()));
  return absl::OkStatus();
}

}  // namespace

const Command kServerDescribe = {
    "server describe",
    "NAME",
    "Everything about one server: topology, ranks, what is missing, tensors.",
    R"(Shows where each rank's agent is, which slots have no live lease, and what the server's cache
means. Exit status 3 when there is no such server.

  batonctl server describe prefill-a)",
    1,
    1,
    nullptr,
    Run,
    ArgumentKind::kServer,
};

}  // namespace baton::ctl
