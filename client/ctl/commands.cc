#include "client/ctl/commands.h"

namespace baton::ctl {

absl::Span<const Command* const> AllCommands() {
  static constexpr const Command* kCommands[] = {
      &kServerList, &kServerDescribe, &kServerWatch, &kAgentStatus,
      &kRoomList,   &kRoomAbort,      &kPlanExplain, &kVersion,
  };
  return kCommands;
}

}  // namespace baton::ctl
