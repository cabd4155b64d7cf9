// batonctl plan explain: the verb. What it computes is in plan_explain.h.
#include "client/ctl/commands.h"
#include "client/ctl/plan_explain.h"

namespace baton::ctl {

const Command kPlanExplain = {
    "plan explain",
    "--prefill FILE --decode FILE",
    "Who would send what to whom, for two servers given as files.",
    R"(Reads two topologies as text protobuf (docs/examples/ has some) and plans the hand-off as
both agents would: no service is asked. A pair that cannot work together is refused with the field
and both values, and exit status 1.

  cd docs/examples
  batonctl plan explain --prefill llama3_8b_pp2_cp2_tp2.txtpb --decode llama3_8b_tp2.txtpb

flags:
  --prefill=FILE, --decode=FILE   text protobuf of baton.v1.Topology
  --tokens=N                      tokens of the prompt; default 4096
  --prefix=N                      tokens that the target has already; default 0
  --tp-holder=one|spread, --cp-holder=one|spread
                                  who sends where several ranks hold the same bytes; default one
  --expand                        every piece, with its addresses; page i of a list is page i
  -o table|json                   default table)",
    0,
    0,
    nullptr,
    nullptr,
    RunPlanExplain,
};

}  // namespace baton::ctl
