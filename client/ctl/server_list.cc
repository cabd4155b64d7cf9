// batonctl server list
#include "client/ctl/commands.h"
#include "client/ctl/server_view.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Choice("role", &options->role, {"any", "prefill", "decode"}, "Servers of this role.");
  table->Text("model", &options->model, "name", "Servers of this model; empty: of any.");
}

absl::Status Run(const Invocation& call) {
  v1::ListServersRequest request;
  if (call.options.role == "prefill") request.set_role(v1::ROLE_PREFILL);
  if (call.options.role == "decode") request.set_role(v1::ROLE_DECODE);
  request.set_model(call.options.model);
  auto response = call.services->ListServers(request);
  if (!response.ok()) return response.status();
  Section section{"", {ServerColumns(), {}}, "no server is registered"};
  for (const v1::ServerRecord& server : response->servers()) {
    section.table.rows.push_back(ServerRow(server));
  }
  call.printer->Show(*response, {section});
  return absl::OkStatus();
}

}  // namespace

const Command kServerList = {
    "server list",
    "",
    "The servers that the bootstrap service knows.",
    R"(One line a server, sorted by name. RANKS counts the slots that hold a live lease, of all; a
server is ready when it has them all and they agree on topology and layout. A draining server takes
no new rooms. A provisional one was learned back from its agents after a restart of the service.

  batonctl server list --role=prefill
  batonctl server list -o json | jq -r '.servers[] | select(.state=="SERVER_STATE_READY").name')",
    0,
    0,
    AddRows,
    Run,
};

}  // namespace baton::ctl
