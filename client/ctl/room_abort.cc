// batonctl room abort
#include "absl/strings/str_cat.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Text("rank", &options->rank, "rank",
              "Only this rank's leg, as SERVER[dp0/pp0/cp0/tp0]; empty: every rank of the agent.");
  table->Text("why", &options->why, "text", "Told to both engines as the cause.");
}

absl::Status Run(const Invocation& call) {
  v1::AbortRoomRequest request;
  auto room = ParseRoom(call.arguments[0]);
  if (!room.ok()) return room.status();
  *request.mutable_room() = *room;
  if (!call.options.rank.empty()) {
    auto rank = ParseRank(call.options.rank);
    if (!rank.ok()) return rank.status();
    *request.mutable_rank() = *rank;
  }
  request.set_why(call.options.why);
  auto response = call.services->AbortRoom(request);
  if (!response.ok()) return response.status();
  if (response->aborted() == 0) {
    return Error(Reason::kRoomUnknown,
                 absl::StrCat("no rank of this agent has room ", ShowRoom(*room), " open"));
  }
  call.printer->Show(
      *response,
      {{"",
        {{"ROOM", "RANKS ABORTED"}, {{ShowRoom(*room), absl::StrCat(response->aborted())}}},
        ""}});
  return absl::OkStatus();
}

}  // namespace

const Command kRoomAbort = {
    "room abort",
    "ROOM",
    "Fails a room on this pod's agent and tells the other side.",
    R"(ROOM is what room list shows: an id, or id#nonce. Both engines see the room fail with reason
ABORTED; pages are released when no write can land any more. Asking twice does no harm: exit status
3 when the room is not open here.

  batonctl room abort 42#7 --why='replaced by request 43')",
    1,
    1,
    AddRows,
    Run,
};

}  // namespace baton::ctl
