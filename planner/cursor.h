// Walks the bytes of one chunk of one pair plan as runs, without allocating.
//
// The order of the bytes is fixed by the plan, the room's tokens and the chunk, never by the pages:
// a cursor that knows only the source's pages and one that knows only the target's yield the same
// byte stream, cut into runs at different places. Stream transports rely on it: the sender walks
// source runs, the receiver target runs, and no address travels.
//
//   Cursor cursor(&plan, tokens, chunk, &source_pages, nullptr);
//   CopyRun runs[64];
//   while (size_t n = cursor.Next(absl::MakeSpan(runs))) { ... }
#ifndef BATON_PLANNER_CURSOR_H_
#define BATON_PLANNER_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "planner/layout.h"
#include "planner/plan.h"

namespace baton::planner {

// Pages of one side. `pages[g][i]` is the page of group g that holds the i-th page's worth of this
// rank's own tokens, counted from the page that holds the first own token at or after
// `first_token` (floored to the page's first). Sources pass one chunk's lists, targets the room's
// (first_token = prefix). Borrowed: must outlive the cursor.
struct SidePages {
  uint64_t first_token = 0;
  std::vector<absl::Span<const int32_t>> pages;
  // One row for each STATE tensor of the spec in order, and one for AUX.
  absl::Span<const uint32_t> state_rows;
  uint32_t aux_row = 0;
};

// Entries that pages[g] must have for a rank of `spec` at `coord` to cover tokens [begin, end).
size_t PagesNeeded(const ServerSpec& spec, const RankCoord& coord, uint32_t page_group,
                   uint64_t begin, uint64_t end, uint64_t total_tokens);

// OK when every list is long enough for [begin, end) and every page and row lies inside the buffers
// of `layout`. BAD_PAGES names group, index and value. Check before building a cursor.
absl::Status ValidatePages(const ServerSpec& spec, const RankCoord& coord,
                           const RankLayout& layout, const SidePages& pages, uint64_t begin,
                           uint64_t end, uint64_t total_tokens, bool with_rows);

// Contiguous bytes. Fields of a side the cursor does not know are 0.
struct CopyRun {
  uint32_t source_region = 0;
  uint32_t target_region = 0;
  uint64_t source_offset = 0;
  uint64_t target_offset = 0;
  uint64_t length = 0;
};

class Cursor {
 public:
  Cursor() = default;
  // Either side may be null, not both. Lists must have passed ValidatePages. Tokens of the chunk
  // below `tokens.prefix` are skipped.
  Cursor(const PairPlan* plan, const RoomTokens& tokens, const ChunkRange& chunk,
         const SidePages* source, const SidePages* target);

  // Fills `out` from the front; fewer than out.size() only at the end, 0 when done.
  size_t Next(absl::Span<CopyRun> out);

  // Bytes of the whole chunk for this pair.
  uint64_t bytes_total() const { return bytes_total_; }
  bool done() const;

 private:

  uint64_t bytes_total_ = 0;
};

// Bytes this pair moves for the whole room: [prefix, total), STATE and AUX.
uint64_t RoomBytes(const PairPlan& plan, const RoomTokens& tokens);

}  // namespace baton::planner

#endif  // BATON_PLANNER_CURSOR_H_
