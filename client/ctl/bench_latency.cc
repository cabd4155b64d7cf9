// batonctl bench latency
#include "client/ctl/bench_command.h"
#include "client/ctl/commands.h"

namespace baton::ctl {
namespace {

absl::Status Run(const Invocation& call) { return RunBenchVerb(call, /*latency=*/true); }

}  // namespace

const Command kBenchLatency = {
    "bench latency",
    "",
    "How long one page takes, there and the word of it back.",
    R"(One page at a time, each waited for. The time is from the page handed to the transport to the
target's word, over the two benches' own connection, that it is in its memory and the window is
closed: a hand-off ends with the same exchange. So it holds half a round trip of TCP beside the
transport's own time.

  batonctl bench latency --transport=shm --page_kib=16
  batonctl bench latency --peer=10.0.0.7:7500)",
    0,
    0,
    AddBenchRows,
    Run,
};

}  // namespace baton::ctl
