#include "client/ctl/trace_view.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

// "opened +0us, offered +120us, ..."
std::string Stages(const v1::RoomTrace& trace) {
  std::string text;
  for (const v1::RoomStage& stage : trace.stages()) {
    absl::StrAppend(&text, text.empty() ? "" : "  ", stage.name(), " +",
                    ShowMicros(stage.offset_us()));
  }
  return text.empty() ? "-" : text;
}

// The stage that took longest, and how long: where to look first.
std::string Slowest(const v1::RoomTrace& trace) {
  uint64_t longest = 0;
  std::string name = "-";
  for (int i = 1; i < trace.stages_size(); ++i) {
    const uint64_t took = trace.stages(i).offset_us() - trace.stages(i - 1).offset_us();
    if (took < longest) continue;
    longest = took;
    name = absl::StrCat(trace.stages(i - 1).name(), " to ", trace.stages(i).name(), " ",
                        ShowMicros(took));
  }
  return name;
}

Section Ranks(const Traces& traces) {
  Section section{
      "ranks", {{"RANK", "ROLE", "STATE", "BYTES", "TOOK", "SLOWEST", "CAUSE"}, {}}, "none"};
  for (const v1::RoomTrace& trace : traces) {
    const v1::RoomStatus& status = trace.status();
    section.table.rows.push_back({ShowRank(status.rank()), ShowRole(status.role()), status.state(),
                                  ShowBytes(status.bytes()), ShowMillis(status.age_ms()),
                                  Slowest(trace), ShowCause(status)});
  }
  return section;
}

struct Step {
  uint64_t unix_us;
  std::string rank;
  std::string stage;
};

// Of all ranks in one order, from the first one's first step. The clocks of two hosts may differ.
Section Timeline(const Traces& traces) {
  std::vector<Step> steps;
  for (const v1::RoomTrace& trace : traces) {
    for (const v1::RoomStage& stage : trace.stages()) {
      steps.push_back({trace.began_unix_us() + stage.offset_us(), ShowRank(trace.status().rank()),
                       stage.name()});
    }
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.unix_us < b.unix_us; });
  Section section{"stages", {{"AT", "RANK", "STAGE"}, {}}, "none is known"};
  for (const Step& step : steps) {
    section.table.rows.push_back(
        {absl::StrCat("+", ShowMicros(step.unix_us - steps.front().unix_us)), step.rank,
         step.stage});
  }
  return section;
}

Section Legs(const Traces& traces) {
  Section section{
      "other ends", {{"RANK", "WITH", "TRANSPORT", "BYTES", "OF", "SENT", "ALL THERE"}, {}}, ""};
  for (const v1::RoomTrace& trace : traces) {
    for (const v1::RoomLeg& leg : trace.legs()) {
      section.table.rows.push_back({ShowRank(trace.status().rank()), ShowRank(leg.rank()),
                                    leg.transport().empty() ? "-" : leg.transport(),
                                    ShowBytes(leg.bytes()), ShowBytes(leg.bytes_expected()),
                                    leg.sent() ? "yes" : "no", leg.done() ? "yes" : "no"});
    }
  }
  return section;
}

}  // namespace

std::string ShowCause(const v1::RoomStatus& room) {
  if (!room.has_cause()) return "-";
  std::string text = absl::StrCat(room.cause().reason(), ": ", room.cause().message());
  if (room.cause().has_rank()) absl::StrAppend(&text, " (", ShowRank(room.cause().rank()), ")");
  return text;
}

Section RoomsSection(const Traces& traces) {
  Section section{
      "rooms", {{"ROOM", "RANK", "STATE", "BYTES", "TOOK", "CAUSE", "STAGES"}, {}}, "none"};
  for (const v1::RoomTrace& trace : traces) {
    const v1::RoomStatus& status = trace.status();
    section.table.rows.push_back({ShowRoom(status.room()), ShowRank(status.rank()), status.state(),
                                  ShowBytes(status.bytes()), ShowMillis(status.age_ms()),
                                  ShowCause(status), Stages(trace)});
  }
  return section;
}

Section SilentSection(const google::protobuf::RepeatedPtrField<v1::AgentSilence>& silent) {
  Section section{"did not answer", {{"AGENT", "WHY"}, {}}, ""};
  for (const v1::AgentSilence& agent : silent) {
    section.table.rows.push_back({agent.agent_address(), agent.cause()});
  }
  return section;
}

View TraceView(const Traces& traces) {
  View view = {Ranks(traces), Timeline(traces)};
  Section legs = Legs(traces);
  if (!legs.table.rows.empty()) view.push_back(std::move(legs));
  return view;
}

}  // namespace baton::ctl
