// Why two servers cannot work together, in parts: for programs that show it. CheckCompatible of
// plan.h says the same as a status. Pure; thread-safe.
#ifndef BATON_PLANNER_COMPATIBLE_H_
#define BATON_PLANNER_COMPATIBLE_H_

#include <optional>
#include <string>

#include "planner/layout.h"

namespace baton::planner {

struct Incompatibility {
  std::string field;  // "tensor K: dtype"
  std::string source;
  std::string target;
};

// The first field in which they contradict each other; nothing when every byte a target needs has a
// source. Both specs are valid (ValidateSpec).
std::optional<Incompatibility> FindIncompatibility(const ServerSpec& source,
                                                   const ServerSpec& target);

}  // namespace baton::planner

#endif  // BATON_PLANNER_COMPATIBLE_H_
