// `batonctl plan explain`: who sends what to whom, for two servers given as files.
#ifndef BATON_CLIENT_CTL_PLAN_EXPLAIN_H_
#define BATON_CLIENT_CTL_PLAN_EXPLAIN_H_

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "common/config/config.h"

namespace baton::ctl {

struct Options;

// --prefill, --decode, --tokens, --prefix, --tp-holder, --cp-holder, --expand.
void AddPlanRows(Options* options, ConfigTable* table);

// Writes nothing unless OK. CONFIG for wrong settings or files, INCOMPATIBLE for a pair that cannot
// work, both naming the field.
absl::Status RunPlanExplain(const Options& options, std::ostream& out);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_PLAN_EXPLAIN_H_
