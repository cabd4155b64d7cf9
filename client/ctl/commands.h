// The verbs, in the order in which help lists them.
#ifndef BATON_CLIENT_CTL_COMMANDS_H_
#define BATON_CLIENT_CTL_COMMANDS_H_

#include "absl/types/span.h"
#include "client/ctl/command.h"

namespace baton::ctl {

extern const Command kServerList;
extern const Command kServerDescribe;
extern const Command kServerWatch;
extern const Command kServerDrain;
extern const Command kRankList;
extern const Command kTop;
extern const Command kAgentStatus;
extern const Command kAgentDrain;
extern const Command kAgentDump;
extern const Command kRoomList;
extern const Command kRoomTrace;
extern const Command kRoomAbort;
extern const Command kRouteExplain;
extern const Command kPlanExplain;
extern const Command kDoctor;
extern const Command kHealth;
extern const Command kBenchWrite;
extern const Command kBenchLatency;
extern const Command kBenchServe;
extern const Command kCompletion;
extern const Command kVersion;

absl::Span<const Command* const> AllCommands();

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_COMMANDS_H_
