// batonctl room list
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/agents.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "client/ctl/trace_view.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("failed", &options->failed, "Only rooms that failed.");
  table->Bool("all", &options->all, "Of every agent that the bootstrap service knows.");
  table->Number("limit", &options->limit, {0, 100000}, "rooms",
                "At most so many of each agent; 0: as many as it likes to send.");
}

// One that does not answer is named and hides no other's rooms.
absl::StatusOr<v1::RoomListReport> AskAll(const Invocation& call,
                                          const v1::ListRoomsRequest& request) {
  auto agents = AllAgents(call.services);
  if (!agents.ok()) return agents.status();
  std::vector<absl::StatusOr<v1::ListRoomsResponse>> answers(agents->size());
  InParallel(agents->size(),
             [&](size_t i) { answers[i] = call.services->ListRooms((*agents)[i], request); });
  v1::RoomListReport report;
  for (size_t i = 0; i < agents->size(); ++i) {
    if (answers[i].ok()) {
      for (const v1::RoomStatus& room : answers[i]->rooms()) *report.add_rooms() = room;
      continue;
    }
    v1::AgentSilence* silent = report.add_silent();
    silent->set_agent_address((*agents)[i]);
    silent->set_cause(std::string(answers[i].status().message()));
  }
  return report;
}

absl::Status Run(const Invocation& call) {
  v1::ListRoomsRequest request;
  request.set_failed_only(call.options.failed);
  request.set_limit(call.options.limit);
  v1::RoomListReport report;
  if (call.options.all) {
    auto asked = AskAll(call, request);
    if (!asked.ok()) return asked.status();
    report = *std::move(asked);
  } else {
    auto response = call.services->ListRooms("", request);
    if (!response.ok()) return response.status();
    report.mutable_rooms()->Swap(response->mutable_rooms());
  }
  Section section{"",
                  {{"ROOM", "RANK", "ROLE", "STATE", "BYTES", "AGE", "CAUSE"}, {}},
                  call.options.failed ? "no room has failed" : "no room is open"};
  for (const v1::RoomStatus& room : report.rooms()) {
    section.table.rows.push_back({ShowRoom(room.room()), ShowRank(room.rank()),
                                  ShowRole(room.role()), room.state(), ShowBytes(room.bytes()),
                                  ShowMillis(room.age_ms()), ShowCause(room)});
  }
  View view = {section};
  if (report.silent_size() > 0) view.push_back(SilentSection(report.silent()));
  call.printer->Show(report, view);
  return absl::OkStatus();
}

}  // namespace

const Command kRoomList = {
    "room list",
    "",
    "Rooms of an agent, or of all: those that run, and the last that failed.",
    R"(One line for each rank that takes part. STATE is the rank's own step of the hand-off; AGE is
how long it has been open, or was open until it failed; CAUSE names the reason, and the rank to
blame where one is known. Of rooms that failed an agent keeps the last 256 of each worker.

  batonctl room list --failed
  batonctl room list --failed --all
  batonctl room list -o json | jq '.rooms[] | select(.age_ms|tonumber > 10000)')",
    0,
    0,
    AddRows,
    Run,
};

}  // namespace baton::ctl
