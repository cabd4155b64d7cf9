// Names of the planner's enumerations, as in layout.proto.
#ifndef BATON_PLANNER_KIND_NAMES_H_
#define BATON_PLANNER_KIND_NAMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "planner/layout.h"

namespace baton::planner {

// "K", "LATENT". "?" for a number out of range.
absl::string_view Name(Kind kind);
// "INTERLEAVED_TOKEN".
absl::string_view Name(CpSharding sharding);
// "ONE".
absl::string_view Name(HolderPolicy policy);
// "K" or "K draft", for messages.
std::string TensorName(const TensorSpec& tensor);

}  // namespace baton::planner

#endif  // BATON_PLANNER_KIND_NAMES_H_
