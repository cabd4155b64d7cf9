// batonctl agent status
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

Section Facts(const v1::AgentStatusResponse& status) {
  return {"agent",
          {{"FIELD", "VALUE"},
           {{"version", status.version()},
            {"address", status.address()},
            {"epoch", absl::StrCat(status.epoch())},
            {"workers", absl::StrCat(status.workers())},
            {"rooms done", absl::StrCat(status.rooms_done())},
            {"rooms failed", absl::StrCat(status.rooms_failed())},
            {"sent", ShowBytes(status.bytes_sent())},
            {"landed", ShowBytes(status.bytes_landed())},
            {"copied", ShowBytes(status.bytes_copied())}}},
          ""};
}

Section Ranks(const v1::AgentStatusResponse& status) {
  Section section{"ranks",
                  {{"RANK", "ROLE", "REGISTERED", "ROOMS", "POOL", "WORKER", "INCARNATION"}, {}},
                  "no engine is attached"};
  for (const v1::HostedRank& rank : status.ranks()) {
    std::string registered = rank.registered() ? "yes" : "no";
    if (!rank.registration_error().empty()) {
      absl::StrAppend(&registered, ": ", rank.registration_error());
    }
    section.table.rows.push_back({ShowRank(rank.rank()), ShowRole(rank.role()), registered,
                                  absl::StrCat(rank.rooms()), ShowBytes(rank.pool_bytes()),
                                  absl::StrCat(rank.worker()), absl::StrCat(rank.incarnation())});
  }
  return section;
}

Section Peers(const v1::AgentStatusResponse& status) {
  Section section{"peers",
                  {{"AGENT", "STATE", "TRANSPORT", "OUT", "IN", "EPOCH"}, {}},
                  "no other agent is linked"};
  for (const v1::PeerStatus& peer : status.peers()) {
    section.table.rows.push_back(
        {peer.agent_address(), peer.state(), peer.transport().empty() ? "-" : peer.transport(),
         ShowBytes(peer.bytes_out()), ShowBytes(peer.bytes_in()), absl::StrCat(peer.epoch())});
  }
  return section;
}

Section Transports(const v1::AgentStatusResponse& status) {
  Section section{"transports", {{"TRANSPORT", "ON", "WHAT"}, {}}, "none is named"};
  for (const v1::TransportStatus& transport : status.transports()) {
    section.table.rows.push_back(
        {transport.name(), transport.on() ? "yes" : "no", transport.summary()});
    for (const std::string& candidate : transport.candidates()) {
      section.table.rows.push_back({"", "", candidate});
    }
  }
  return section;
}

absl::Status Run(const Invocation& call) {
  auto status = call.services->AgentStatus();
  if (!status.ok()) return status.status();
  std::vector<Section> sections{Facts(*status), Ranks(*status), Peers(*status)};
  // An older agent names none.
  if (status->transports_size() > 0) sections.push_back(Transports(*status));
  call.printer->Show(*status, sections);
  return absl::OkStatus();
}

}  // namespace

const Command kAgentStatus = {
    "agent status",
    "",
    "This pod's agent: its ranks, its peers, what it moved and by which path.",
    R"(Asks the agent over its Unix socket, so run it in the agent's pod. REGISTERED says why a rank
is not in the bootstrap service's list. TRANSPORT is the path that was chosen for a peer, and why.

  batonctl agent status
  batonctl agent status --service_socket=/run/baton/agent.sock -o json)",
    0,
    0,
    nullptr,
    Run,
};

}  // namespace baton::ctl
