// Finds two of many buffers that touch without comparing each with each.
#ifndef BATON_PLANNER_FIND_OVERLAP_H_
#define BATON_PLANNER_FIND_OVERLAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/types/span.h"
#include "planner/extent.h"

namespace baton::planner {

// Two that Apart does not tell apart, by index; nullopt when there are none. Buffers of one pool,
// interleaved in pages or in entries, cost n log n; what cannot be divided costs as many
// comparisons as it has pairs. `work`, if given, is what it took: places sorted, pairs compared.
std::optional<std::pair<size_t, size_t>> FindOverlap(absl::Span<const Extent> extents,
                                                     uint64_t* work = nullptr);

}  // namespace baton::planner

#endif  // BATON_PLANNER_FIND_OVERLAP_H_
