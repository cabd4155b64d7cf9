// batonctl plan explain: the verb. What it computes is in plan_explain.h.
#include <sstream>

#include "client/ctl/commands.h"
#include "client/ctl/plan_explain.h"

namespace baton::ctl {
namespace {

absl::Status Run(const Invocation& call) {
  std::ostringstream out;
  if (absl::Status status = RunPlanExplain(call.options, out); !status.ok()) return status;
  call.printer->ShowText(out.str());
  return absl::OkStatus();
}

}  // namespace

const Command kPlanExplain = {
    "plan explain",
    "",
    "Who would send what to whom, for two servers given as files.",
    R"(Reads two topologies as text protobuf (docs/examples/ has some) and plans the hand-off as
both agents would: no service is asked. A pair that cannot work together is refused with the field
and both values, and exit status 1.

  cd docs/examples
  batonctl plan explain --prefill llama3_8b_pp2_cp2_tp2.txtpb --decode llama3_8b_tp2.txtpb
  batonctl plan explain --prefill=qwen3_235b_tp8.txtpb --decode=qwen3_235b_tp8.txtpb --tokens=70)",
    0,
    0,
    AddPlanRows,
    Run,
};

}  // namespace baton::ctl
