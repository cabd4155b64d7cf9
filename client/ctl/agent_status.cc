// batonctl agent status
#include "client/ctl/agent_view.h"
#include "client/ctl/commands.h"

namespace baton::ctl {
namespace {

absl::Status Run(const Invocation& call) {
  auto status = call.services->AgentStatus("");
  if (!status.ok()) return status.status();
  call.printer->Show(*status, AgentView(*status));
  return absl::OkStatus();
}

}  // namespace

const Command kAgentStatus = {
    "agent status",
    "",
    "This pod's agent: its ranks, its peers, what it moved and by which path.",
    R"(Asks the agent over its Unix socket, so run it in the agent's pod; or with --agent the one
that rank list names. REGISTERED says why a rank is not in the bootstrap service's list. TRANSPORT
is the path that was chosen for a peer, and why. Counts are since the engine attached.

  batonctl agent status
  batonctl agent status --agent=10.0.0.7:7100
  batonctl agent status --service_socket=/run/baton/agent.sock -o json)",
    0,
    0,
    nullptr,
    Run,
};

}  // namespace baton::ctl
