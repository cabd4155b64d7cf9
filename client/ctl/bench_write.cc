// batonctl bench write
#include "client/ctl/bench_command.h"
#include "client/ctl/commands.h"

namespace baton::ctl {
namespace {

absl::Status Run(const Invocation& call) { return RunBenchVerb(call, /*latency=*/false); }

}  // namespace

const Command kBenchWrite = {
    "bench write",
    "",
    "How many bytes a second a transport moves.",
    R"(Rooms of --pages pages, four under way, for --seconds; the rate is from the first byte handed
to the transport to the target's word that the last is in its memory. GB/s are 10^9 bytes. It is the
transport that agents use, without engines, planning of real layouts or an agent's other work: what
is measured is what the path can do, not what a hand-off takes. Both ends in this process share its
processors; --peer measures between two hosts.

  batonctl bench write --transport=shm
  batonctl bench write --peer=10.0.0.7:7500 --transport=verbs --page_kib=256)",
    0,
    0,
    AddBenchRows,
    Run,
};

}  // namespace baton::ctl
