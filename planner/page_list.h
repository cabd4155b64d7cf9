// Page lists on the wire, in the order of the list. Two forms, whichever is shorter:
//   1  fixed width: each page in as many bits as the largest needs. 8000 random pages of a pool of
//      131 072: 17 000 bytes.
//   2  runs of consecutive pages, as varints: number of pages; for each run zigzag of (first page -
//      page after the run before) and length - 1. A list in one piece is a handful of bytes,
//      however long.
// Pure functions.
#ifndef BATON_PLANNER_PAGE_LIST_H_
#define BATON_PLANNER_PAGE_LIST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace baton::planner {

// Pages must not be negative. An empty list is an empty string.
std::string EncodePages(absl::Span<const int32_t> pages);

// The list again. BAD_MESSAGE for bytes that EncodePages does not write; TOO_LARGE, before anything
// is allocated, for a list of more than `pages_max`. Every page is in [0, 2^31).
absl::StatusOr<std::vector<int32_t>> DecodePages(absl::string_view bytes, size_t pages_max);

}  // namespace baton::planner

#endif  // BATON_PLANNER_PAGE_LIST_H_
