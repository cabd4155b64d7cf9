// batonctl server watch
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/ctl/commands.h"
#include "client/ctl/names.h"
#include "client/ctl/server_view.h"

namespace baton::ctl {
namespace {

void AddRows(Options* options, ConfigTable* table) {
  table->Bool("once", &options->once, "End when all that is there now has been shown.");
}

std::string Line(absl::string_view event, absl::string_view server, absl::string_view what) {
  return absl::StrFormat("%-9s %-24s %s", event, server, what);
}

std::string DeltaText(const v1::ServerDelta& delta) {
  std::string text = ShowState(delta.state());
  for (const v1::RankRecord& rank : delta.upserted()) {
    absl::StrAppend(&text, " +", ShowCoord(rank.coord()), "@", rank.agent_address());
  }
  for (const v1::RankCoord& coord : delta.removed()) absl::StrAppend(&text, " -", ShowCoord(coord));
  if (delta.has_load()) absl::StrAppend(&text, " rooms=", delta.load().rooms());
  return text;
}

// Empty: nothing that an operator needs to see.
std::string EventText(const v1::WatchEvent& event) {
  switch (event.event_case()) {
    case v1::WatchEvent::kServer:
      return Line(
          "server", event.server().name(),
          absl::StrCat(ShowRole(event.server().role()), " ", ShowState(event.server().state()), " ",
                       ShowFilled(event.server()), " ranks"));
    case v1::WatchEvent::kDelta:
      return Line("changed", event.delta().name(), DeltaText(event.delta()));
    case v1::WatchEvent::kRemoved:
      return Line("removed", event.removed(), "");
    case v1::WatchEvent::kSnapshotDone:
      return Line("current", "", "all of the above is there now; changes follow");
    case v1::WatchEvent::kCompacted:
      return Line("restart", "", "the service restarted; all servers follow anew");
    case v1::WatchEvent::kDropped:
      return Line("dropped", "", event.dropped());
    case v1::WatchEvent::kBookmark:
    case v1::WatchEvent::kSettled:
    case v1::WatchEvent::EVENT_NOT_SET:
      return "";
  }
  return "";
}

// What ends a round of watching.
struct Round {
  bool done = false;   // --once, and the snapshot is complete
  bool again = false;  // the service asks for a new watch
};

bool ShowMessage(const Invocation& call, const v1::WatchResponse& message, Round* round) {
  for (const v1::WatchEvent& event : message.events()) {
    const std::string text = EventText(event);
    if (call.printer->json() ? !event.bookmark() : !text.empty()) {
      call.printer->ShowLine(event, std::string(absl::StripTrailingAsciiWhitespace(text)));
    }
    round->done |= event.snapshot_done() && call.options.once;
    round->again |= event.compacted() || !event.dropped().empty();
  }
  return !round->done && !round->again;
}

absl::Status Run(const Invocation& call) {
  v1::WatchRequest request;
  for (const std::string& name : call.arguments) request.add_servers(name);
  while (true) {
    Round round;
    absl::Status status = call.services->Watch(request, [&](const v1::WatchResponse& message) {
      return ShowMessage(call, message, &round);
    });
    if (!status.ok() || round.done) return status;
  }
}

}  // namespace

const Command kServerWatch = {
    "server watch",
    "[NAME...]",
    "Servers as they come, change and go, until interrupted.",
    R"(First a line for each server that is there, then one for each change: its state, ranks that
came (+) or went (-), rooms. Without names all servers are watched. With -o json each event is an
object on a line of its own.

  batonctl server watch prefill-a decode-a
  batonctl server watch --once -o json)",
    0,
    64,
    AddRows,
    Run,
    ArgumentKind::kServer,
};

}  // namespace baton::ctl
