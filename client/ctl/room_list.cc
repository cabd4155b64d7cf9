// batonctl room list
#include <string>

#include "absl/strings/str_cat.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("failed", &options->failed, "Only rooms that failed.");
  table->Number("limit", &options->limit, {0, 100000}, "rooms",
                "At most so many; 0: as many as the agent likes to send.");
}

std::string ShowCause(const v1::RoomStatus& room) {
  if (!room.has_cause()) return "-";
  std::string text = absl::StrCat(room.cause().reason(), ": ", room.cause().message());
  if (room.cause().has_rank()) absl::StrAppend(&text, " (", ShowRank(room.cause().rank()), ")");
  return text;
}

absl::Status Run(const Invocation& call) {
  v1::ListRoomsRequest request;
  request.set_failed_only(call.options.failed);
  request.set_limit(call.options.limit);
  auto response = call.services->ListRooms(request);
  if (!response.ok()) return response.status();
  Section section{"",
                  {{"ROOM", "RANK", "ROLE", "STATE", "BYTES", "AGE", "CAUSE"}, {}},
                  call.options.failed ? "no room has failed" : "no room is open"};
  for (const v1::RoomStatus& room : response->rooms()) {
    section.table.rows.push_back({ShowRoom(room.room()), ShowRank(room.rank()),
                                  ShowRole(room.role()), room.state(), ShowBytes(room.bytes()),
                                  ShowMillis(room.age_ms()), ShowCause(room)});
  }
  call.printer->Show(*response, {section});
  return absl::OkStatus();
}

}  // namespace

const Command kRoomList = {
    "room list",
    "",
    "Rooms of this pod's agent: those that run, and the last that failed.",
    R"(One line for each rank that takes part. STATE is the rank's own step of the hand-off; CAUSE
names the reason, and the rank to blame where one is known. Run it in the agent's pod.

  batonctl room list --failed
  batonctl room list -o json | jq '.rooms[] | select(.age_ms|tonumber > 10000)')",
    0,
    0,
    AddRows,
    Run,
};

}  // namespace baton::ctl
