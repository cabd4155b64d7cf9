// What the bench verbs share.
#ifndef BATON_CLIENT_CTL_BENCH_COMMAND_H_
#define BATON_CLIENT_CTL_BENCH_COMMAND_H_

#include "absl/status/status.h"
#include "client/ctl/command.h"

namespace baton::ctl {

void AddBenchRows(Options* options, ConfigTable* table);
// Between two ends here, or with the one at --peer.
absl::Status RunBenchVerb(const Invocation& call, bool latency);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_BENCH_COMMAND_H_
