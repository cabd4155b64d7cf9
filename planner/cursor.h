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
#include "planner/fast_divide.h"
#include "planner/layout.h"
#include "planner/plan.h"
#include "planner/shared_entries.h"
#include "planner/side_address.h"
#include "planner/stretch_walk.h"

namespace baton::planner {

// Pages of one side. `pages[g][i]` is the page of group g that holds the i-th page's worth of this
// rank's own tokens, counted from the page that holds the first own token at or after
// `first_token` (floored to the page's first). Sources pass one chunk's lists, targets the room's
// (first_token = prefix). Borrowed: must outlive the cursor. Of page groups that a chunk leaves out
// the lists may be empty.
struct SidePages {
  uint64_t first_token = 0;
  std::vector<absl::Span<const int32_t>> pages;
  // One row for each STATE tensor of the spec in order, or kNoRow; and one for AUX.
  absl::Span<const uint32_t> state_rows;
  uint32_t aux_row = 0;
};

// Entries that pages[g] must have for a rank of `spec` at `coord` to cover tokens [begin, end).
size_t PagesNeeded(const ServerSpec& spec, const RankCoord& coord, uint32_t page_group,
                   uint64_t begin, uint64_t end, uint64_t total_tokens);

// OK when every list of `groups` is long enough for [begin, end) and every page and row lies inside
// the buffers of `layout`. BAD_PAGES names group, index and value. Check before building a cursor.
absl::Status ValidatePages(const ServerSpec& spec, const RankCoord& coord, const RankLayout& layout,
                           const SidePages& pages, uint64_t begin, uint64_t end,
                           uint64_t total_tokens, bool with_rows, uint16_t groups = kAllGroups);

// OK when source and target have rows for the same STATE tensors. BAD_CHUNK names one that only one
// side has.
absl::Status CheckSameRows(const PairPlan& plan, absl::Span<const uint32_t> source_rows,
                           absl::Span<const uint32_t> target_rows);

// Contiguous bytes. Fields of a side the cursor does not know are 0.
struct CopyRun {
  uint32_t source_region = 0;
  uint32_t target_region = 0;
  uint64_t source_offset = 0;
  uint64_t target_offset = 0;
  uint64_t length = 0;
};

// Entries [0, entries) of one copy, in every combination of its axes. Entry e of a side is number
// first + e of the list's pages, each of `page_entries`; no list: all of it is in page `row`.
struct StridedCopy {
  struct Axis {
    uint64_t count = 1;
    uint64_t source_stride = 0;
    uint64_t target_stride = 0;
  };
  struct Side {
    uint32_t region = 0;
    uint64_t offset = 0;
    uint64_t page_stride = 0;
    uint64_t entry_stride = 0;
    uint64_t page_entries = 1;
    const int32_t* list = nullptr;
    uint32_t list_index = 0;  // of the side's lists
    uint32_t row = 0;
    uint64_t first = 0;
  };
  Side source;
  Side target;
  uint64_t entries = 0;
  // Planes and heads, and which of them lie inside an entry's bytes where all is contiguous.
  Axis planes;
  Axis heads;
  bool head_major = false;
  bool planes_in_entry = false;
  uint32_t unit_bytes = 0;
};

class Cursor {
 public:
  Cursor() = default;
  // Either side may be null, not both. Lists must have passed ValidatePages. Tokens of the chunk
  // below `tokens.prefix` are skipped. STATE and AUX go with the last chunk, whatever its tokens
  // and layers. An entry of several tokens goes with the chunk that has its last one.
  Cursor(const PairPlan* plan, const RoomTokens& tokens, const ChunkRange& chunk,
         const SidePages* source, const SidePages* target);

  // Fills `out` from the front; fewer than out.size() only at the end, 0 when done. Allocates
  // nothing.
  size_t Next(absl::Span<CopyRun> out);

  // Bytes of the whole chunk for this pair.
  uint64_t bytes_total() const { return bytes_total_; }
  // True once Next has returned fewer runs than it was given room for, and from the start for an
  // empty chunk. A Next that just filled its room leaves it false even where no run is left: loop
  // on what Next returns.
  bool done() const { return finished_; }

  // The same bytes as pieces that a kernel can walk by itself: one for each copy and stretch,
  // however many pages it has. For a cursor of which nothing was taken with Next. False: no more.
  bool NextStrided(StridedCopy* out);

  const PairPlan* plan() const { return plan_; }
  // Null: the cursor does not know that side.
  const SidePages* source_pages() const { return source_.pages; }

 private:
  // One side of the piece that is being cut into runs.
  struct Side {
    const SidePages* pages = nullptr;  // null: not known
    FastDivide page_entries;
    uint64_t first_page = 0;  // own page that the list begins with
    // Of the copy.
    SideAddress address;
    const int32_t* list = nullptr;
    uint32_t row = 0;
    // Of the place that is reached.
    uint64_t page = 0;
    uint64_t slot = 0;
    uint64_t piece = 0;  // offset of the piece in the region
  };
  struct Axis {
    uint64_t count = 1;
    uint64_t source_stride = 0;
    uint64_t target_stride = 0;
  };

  void OpenSet(uint32_t set);
  void OpenSetSide(const OwnEntries& own, const EntrySharding& sharding, Side* side) const;
  // False when the chunk has nothing of the copy.
  bool OpenCopy(const CopyDescriptor& copy);
  void OpenCopySide(const SideAddress& address, Side* side) const;
  bool OpenStretch();
  bool NextStretch();
  bool MoreStretches();
  void OpenPiece();
  bool Joined(const Axis& axis, uint64_t length) const;
  void Emit(CopyRun* run) const;
  size_t EmitLoop(absl::Span<CopyRun> out, size_t used);
  template <bool kKnown>
  class FlatSide;
  size_t EmitFlat(absl::Span<CopyRun> out, size_t used);
  template <bool kSource, bool kTarget>
  size_t EmitFlatOf(absl::Span<CopyRun> out, size_t used);
  bool Extend(CopyRun* last) const;
  StridedCopy::Side StridedSide(const SideAddress& address, const Side& side, uint64_t local) const;
  static void Place(uint64_t local, Side* side);
  static void Advance(uint64_t entries, Side* side);

  const PairPlan* plan_ = nullptr;
  RoomTokens tokens_;
  ChunkRange chunk_;
  Side source_;
  Side target_;
  uint64_t bytes_total_ = 0;
  size_t copy_ = 0;  // the next one to open
  bool in_copy_ = false;
  bool flat_ = false;  // every piece of the copy is one run
  bool finished_ = true;

  uint32_t set_ = UINT32_MAX;
  SharedEntries room_;           // of the set, in the whole room
  SharedEntries chunk_entries_;  // in the chunk
  SharedEntries walk_;           // of the copy
  uint32_t first_plane_ = 0;
  uint32_t planes_ = 0;

  StretchWalk at_stretch_;
  uint64_t left_ = 0;  // of its entries
  // The piece as nested axes around runs of run_bytes_; at_ counts through the axes.
  Axis axis_[3];
  uint64_t at_[3] = {0, 0, 0};
  int axes_ = 0;
  uint64_t run_bytes_ = 0;
  bool in_piece_ = false;
};

// Bytes this pair moves for the whole room: [prefix, total), STATE and AUX. STATE that the target
// has kNoRow for does not count; without `target_rows` all of it does.
uint64_t RoomBytes(const PairPlan& plan, const RoomTokens& tokens,
                   absl::Span<const uint32_t> target_rows = {});

}  // namespace baton::planner

#endif  // BATON_PLANNER_CURSOR_H_
