#include "client/ctl/commands.h"

namespace baton::ctl {

absl::Span<const Command* const> AllCommands() {
  static constexpr const Command* kCommands[] = {
      &kServerList,   &kServerDescribe, &kServerWatch, &kServerDrain, &kRankList,   &kTop,
      &kAgentStatus,  &kAgentDrain,     &kAgentDump,   &kRoomList,    &kRoomTrace,  &kRoomAbort,
      &kRouteExplain, &kPlanExplain,    &kDoctor,      &kHealth,      &kBenchWrite, &kBenchLatency,
      &kBenchServe,   &kCompletion,     &kVersion,
  };
  return kCommands;
}

}  // namespace baton::ctl
