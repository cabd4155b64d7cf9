// The slow path of the cursor: once for each copy.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/break.h"
#include "planner/cursor.h"
#include "planner/descriptor.h"

namespace baton::planner {

Cursor::Cursor(const PairPlan* plan, const RoomTokens& tokens, const ChunkRange& chunk,
               const SidePages* source, const SidePages* target)
    : plan_(plan), tokens_(tokens), chunk_(chunk) {
  source_.pages = source;
  target_.pages = target;
  for (const CopyDescriptor& copy : plan->copies) {
    if (OpenCopy(copy)) bytes_total_ += walk_.Count() * planes_ * copy.entry_bytes();
  }
  finished_ = bytes_total_ == 0;
}

void Cursor::OpenSet(uint32_t index) {
  set_ = index;
  const EntrySet& set = plan_->sets[index];
  room_ = SharedEntries(set, tokens_);
  chunk_entries_ = room_;
  if (!set.rows) {
    chunk_entries_.Clip(EntriesOfTokens(set, tokens_, chunk_.token_begin, chunk_.token_end));
  } else if (!chunk_.last) {
    chunk_entries_.Clip({});
  }
  OpenSetSide(room_.source(), set.source, &source_);
  OpenSetSide(room_.target(), set.target, &target_);
}

void Cursor::OpenSetSide(const OwnEntries& own, const EntrySharding& sharding, Side* side) const {
  side->page_entries = FastDivide(sharding.page_entries);
  side->first_page = 0;
  const EntrySet& set = plan_->sets[set_];
  if (side->pages != nullptr && !set.rows) {
    uint64_t first_token = side->pages->first_token;
    if (set.window_tokens != 0 && tokens_.total > set.window_tokens) {
      first_token = std::max(first_token, tokens_.total - set.window_tokens);
    }
    const uint64_t first = own.FirstFrom(first_token / set.tokens_per_entry);
    if (first != kNoEntry && !Broken(7))
      side->first_page = side->page_entries.Quotient(own.Local(first));
  }
}

namespace {

// Lists shorter than the spec's STATE tensors say nothing of the rest.
bool HasRow(absl::Span<const uint32_t> rows, uint32_t list) {
  return list == kAuxRow || list >= rows.size() || rows[list] != kNoRow;
}

}  // namespace

bool Cursor::OpenCopy(const CopyDescriptor& copy) {
  const bool rows = plan_->sets[copy.set].rows;
  if (rows) {
    for (const auto& [pages, list] :
         {std::pair(source_.pages, copy.source.list), std::pair(target_.pages, copy.target.list)}) {
      if (pages != nullptr && !HasRow(pages->state_rows, list)) return false;
    }
  } else if ((chunk_.groups >> copy.source.list & 1) == 0) {
    return false;
  }
  if (copy.set != set_) OpenSet(copy.set);
  first_plane_ = 0;
  planes_ = copy.planes;
  if (!rows) {
    const uint32_t* layers = plan_->layers.data() + copy.first_layer;
    const uint32_t* begin = std::lower_bound(layers, layers + copy.planes, chunk_.layer_begin);
    const uint32_t* end = std::lower_bound(begin, layers + copy.planes, chunk_.layer_end);
    first_plane_ = static_cast<uint32_t>(begin - layers);
    planes_ = static_cast<uint32_t>(end - begin);
  }
  if (planes_ == 0) return false;
  walk_ = chunk_entries_;
  if (!copy.share.whole()) {
    const uint64_t entries = room_.Count();
    const Span64 part = copy.share.Of(entries);
    if (part.empty()) return false;
    walk_.Clip({room_.At(part.begin), part.end == entries ? kNoEntry : room_.At(part.end)});
  }
  if (walk_.empty()) return false;
  OpenCopySide(copy.source, &source_);
  OpenCopySide(copy.target, &target_);
  flat_ = planes_ == 1 && copy.heads == 1 && !rows &&
          (source_.pages == nullptr || copy.source.entry_stride == copy.unit_bytes) &&
          (target_.pages == nullptr || copy.target.entry_stride == copy.unit_bytes);
  return true;
}

void Cursor::OpenCopySide(const SideAddress& address, Side* side) const {
  if (side->pages == nullptr) return;
  side->address = address;
  side->address.offset += first_plane_ * address.plane_stride;
  if (!plan_->sets[set_].rows) {
    side->list = side->pages->pages[address.list].data();
  } else {
    side->list = nullptr;
    side->row =
        address.list == kAuxRow ? side->pages->aux_row : side->pages->state_rows[address.list];
  }
}

absl::Status CheckSameRows(const PairPlan& plan, absl::Span<const uint32_t> source_rows,
                           absl::Span<const uint32_t> target_rows) {
  for (const CopyDescriptor& copy : plan.copies) {
    if (!plan.sets[copy.set].rows) continue;
    const bool source = HasRow(source_rows, copy.source.list);
    if (source == HasRow(target_rows, copy.target.list)) continue;
    return Error(Reason::kBadChunk,
                 absl::StrCat("STATE row ", source ? copy.source.list : copy.target.list, ": the ",
                              source ? "source" : "target", " has one, the ",
                              source ? "target" : "source", " has none"));
  }
  return absl::OkStatus();
}

uint64_t RoomBytes(const PairPlan& plan, const RoomTokens& tokens,
                   absl::Span<const uint32_t> target_rows) {
  uint64_t bytes = 0;
  uint32_t set = UINT32_MAX;
  uint64_t entries = 0;
  for (const CopyDescriptor& copy : plan.copies) {
    if (plan.sets[copy.set].rows && !HasRow(target_rows, copy.target.list)) continue;
    if (copy.set != set) {
      set = copy.set;
      entries = SharedEntries(plan.sets[set], tokens).Count();
    }
    bytes += copy.share.Of(entries).size() * copy.planes * copy.entry_bytes();
  }
  return bytes;
}

}  // namespace baton::planner
