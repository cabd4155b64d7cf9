// batonctl server drain
#include "absl/strings/str_cat.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("undo", &options->undo, "Back into the choice.");
}

absl::Status Run(const Invocation& call) {
  v1::DrainRequest request;
  request.set_server(call.arguments[0]);
  request.set_undo(call.options.undo);
  auto drained = call.services->Drain(request);
  if (!drained.ok()) return drained.status();
  v1::GetServerRequest after;
  after.set_name(call.arguments[0]);
  auto server = call.services->GetServer(after);
  if (!server.ok()) return server.status();
  call.printer->Show(*server, {{"",
                                {{"NAME", "STATE", "ROOMS"},
                                 {{server->server().name(), ShowState(server->server().state()),
                                   absl::StrCat(server->server().load().rooms())}}},
                                ""}});
  return absl::OkStatus();
}

}  // namespace

const Command kServerDrain = {
    "server drain",
    "NAME",
    "Takes a server out of the choice for new rooms, or back into it.",
    R"(Routers that watch stop picking it at once; rooms that run go on. A new start of the server
is not draining. Asking twice does no harm. Exit status 3 when there is no such server.

  batonctl server drain prefill-a
  batonctl server drain prefill-a --undo)",
    1,
    1,
    AddRows,
    Run,
    ArgumentKind::kServer,
};

}  // namespace baton::ctl
