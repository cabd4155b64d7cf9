// `batonctl plan explain`: who sends what to whom, for two servers given as files.
#ifndef BATON_CLIENT_CTL_PLAN_EXPLAIN_H_
#define BATON_CLIENT_CTL_PLAN_EXPLAIN_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace baton::ctl {

// Words after `plan explain`:
//   --prefill FILE --decode FILE   text protobuf of baton.v1.Topology
//   --tokens N (4096), --prefix N (0)
//   --tp-holder one|spread, --cp-holder one|spread (one)
//   --expand                       every piece with its addresses; page i of a list is page i
//   -o table|json (table)
// Writes nothing unless OK. CONFIG for wrong words or files, INCOMPATIBLE for a pair that cannot
// work, both naming the field.
absl::Status RunPlanExplain(const std::vector<std::string>& args, std::ostream& out);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_PLAN_EXPLAIN_H_
