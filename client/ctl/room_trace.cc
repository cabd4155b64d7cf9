// batonctl room trace
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/agents.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "client/ctl/trace_view.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("here", &options->here,
              "Ask the agent of this pod (or of --agent) alone, not every one that the bootstrap "
              "service knows.");
}

absl::StatusOr<v1::RoomTraceReport> Ask(const Invocation& call,
                                        const v1::TraceRoomRequest& request) {
  std::vector<std::string> agents = {""};
  if (!call.options.here && call.options.agent.empty()) {
    auto all = AllAgents(call.services);
    if (!all.ok()) return all.status();
    agents = *std::move(all);
  }
  std::vector<absl::StatusOr<v1::TraceRoomResponse>> answers(agents.size());
  InParallel(agents.size(),
             [&](size_t i) { answers[i] = call.services->TraceRoom(agents[i], request); });
  v1::RoomTraceReport report;
  report.set_agents_asked(static_cast<uint32_t>(agents.size()));
  for (size_t i = 0; i < agents.size(); ++i) {
    if (answers[i].ok()) {
      for (const v1::RoomTrace& trace : answers[i]->rooms()) *report.add_rooms() = trace;
      continue;
    }
    if (agents.size() == 1) return answers[i].status();
    v1::AgentSilence* silent = report.add_silent();
    silent->set_agent_address(agents[i]);
    silent->set_cause(std::string(answers[i].status().message()));
  }
  return report;
}

absl::Status Run(const Invocation& call) {
  auto room = ParseRoom(call.arguments[0]);
  if (!room.ok()) return room.status();
  v1::TraceRoomRequest request;
  *request.mutable_room() = *room;
  request.set_any_nonce(!absl::StrContains(call.arguments[0], '#'));
  auto report = Ask(call, request);
  if (!report.ok()) return report.status();
  if (report->rooms_size() == 0) {
    std::string silent;
    if (report->silent_size() > 0) {
      silent =
          absl::StrCat(", ", report->silent_size(), " of them in vain (",
                       report->silent(0).agent_address(), ": ", report->silent(0).cause(), ")");
    }
    return absl::NotFoundError(absl::StrCat(
        "no agent knows room ", call.arguments[0], "; ", report->agents_asked(), " asked", silent,
        ". Agents keep the last 1024 rooms of each worker, and 256 that failed; a "
        "restarted agent has forgotten them"));
  }
  View view = TraceView(report->rooms());
  if (report->silent_size() > 0) view.push_back(SilentSection(report->silent()));
  call.printer->Show(*report, view);
  return absl::OkStatus();
}

}  // namespace

const Command kRoomTrace = {
    "room trace",
    "ROOM",
    "Where the time of one room went, on every rank that has or had it.",
    R"(ROOM is an id or id#nonce. Asks every agent that the bootstrap service knows, so it works
from anywhere, and for rooms that have ended, as long as the agents remember them. STAGES stand on
one axis of time; between two hosts it is as good as their clocks agree.

  source   opened, offered, matched, connected, posted, sent, done
  target   opened, found, offered, landing, done
  both     failed, released

A long way to "offered" at a source: the decode side came late. To "connected": the path. From
"posted" to "sent": the engine still computes, or the path is slow. Exit status 3 when no agent
knows the room.

  batonctl room trace 42
  batonctl room trace 42#7 --here -o json)",
    1,
    1,
    AddRows,
    Run,
};

}  // namespace baton::ctl
