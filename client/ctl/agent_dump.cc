// batonctl agent dump
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/ctl/agent_view.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "client/ctl/trace_view.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Number("limit", &options->limit, {0, 100000}, "rooms", "At most so many rooms; 0: 1000.");
}

Section Settings(const v1::DumpResponse& dump) {
  Section section{"settings", {{"NAME", "VALUE"}, {}}, "none is named"};
  for (const std::string& setting : dump.settings()) {
    const std::pair<std::string, std::string> halves =
        absl::StrSplit(setting, absl::MaxSplits('=', 1));
    section.table.rows.push_back({halves.first, halves.second});
  }
  return section;
}

Section Channels(const v1::DumpResponse& dump) {
  Section section{
      "channels", {{"WORKER", "TRANSPORT", "AGENT", "ITS WORKER", "STATE"}, {}}, "none is open"};
  for (const v1::ChannelStatus& channel : dump.channels()) {
    section.table.rows.push_back({absl::StrCat(channel.worker()), channel.transport(),
                                  channel.agent_address(), absl::StrCat(channel.peer_worker()),
                                  channel.state()});
  }
  return section;
}

absl::Status Run(const Invocation& call) {
  v1::DumpRequest request;
  request.set_limit(call.options.limit);
  auto dump = call.services->Dump(request);
  if (!dump.ok()) return dump.status();
  View view = AgentView(dump->status());
  view.push_back(Settings(*dump));
  view.push_back(Channels(*dump));
  view.push_back(RoomsSection(dump->rooms()));
  if (dump->findings_size() > 0) view.push_back(FindingsSection(dump->findings()));
  call.printer->Show(*dump, view);
  return absl::OkStatus();
}

}  // namespace

const Command kAgentDump = {
    "agent dump",
    "",
    "Everything the agent can say of itself, for a report.",
    R"(What agent status shows, and the agent's settings, its channels, the rooms that run and those
that have ended with the time of each stage, and what its checks at start found amiss.

  batonctl agent dump -o json > agent.json
  batonctl agent dump --agent=10.0.0.7:7100 --limit=20)",
    0,
    0,
    AddRows,
    Run,
};

}  // namespace baton::ctl
