#include "transfer_agent/transport/cuda/work_list.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/descriptor.h"
#include "transfer_agent/transport/cuda/make_item.h"

namespace baton::transport::cuda {
namespace {

using planner::StridedCopy;

absl::Status Bad(absl::string_view what) {
  return Error(Reason::kBadPages, absl::StrCat("cuda: ", what));
}

// The end of the last byte that the copy can touch in its region, of pages up to `page`.
unsigned __int128 EndOf(const StridedCopy& copy, const StridedCopy::Side& side, bool source,
                        uint64_t page) {
  const auto last = [source](const StridedCopy::Axis& axis) {
    return static_cast<unsigned __int128>(axis.count - 1) *
           (source ? axis.source_stride : axis.target_stride);
  };
  const uint64_t slots = side.list == nullptr ? copy.entries : side.page_entries;
  return static_cast<unsigned __int128>(page) * side.page_stride +
         static_cast<unsigned __int128>(slots - 1) * side.entry_stride + side.offset +
         last(copy.planes) + last(copy.heads) + copy.unit_bytes;
}

}  // namespace

absl::Status CheckLists(const planner::PairPlan& plan, const planner::SidePages& pages) {
  for (const planner::CopyDescriptor& copy : plan.copies) {
    const uint32_t list = copy.source.list;
    const bool rows = plan.sets[copy.set].rows;
    if (rows && list == planner::kAuxRow) continue;
    const size_t have = rows ? pages.state_rows.size() : pages.pages.size();
    if (list >= have) {
      return Bad(absl::StrCat("the source names ", have, rows ? " state rows" : " page lists",
                              ", its plan needs number ", list));
    }
  }
  return absl::OkStatus();
}

void WorkList::Read(planner::Cursor cursor) {
  bytes_ = cursor.bytes_total();
  copies_.clear();
  StridedCopy copy;
  while (cursor.NextStrided(&copy)) copies_.push_back(copy);
}

absl::Status WorkList::CheckSource(const planner::SidePages& pages,
                                   absl::Span<const uint64_t> sizes) {
  return Check(&StridedCopy::source, pages, sizes, &source_uses_);
}

absl::Status WorkList::CheckTarget(const planner::SidePages& pages,
                                   absl::Span<const uint64_t> sizes) {
  return Check(&StridedCopy::target, pages, sizes, &target_uses_);
}

absl::Status WorkList::FindUses(StridedCopy::Side StridedCopy::*which,
                                const planner::SidePages& pages, Uses* uses) const {
  uses->assign(pages.pages.size(), Use{});
  for (const StridedCopy& copy : copies_) {
    const StridedCopy::Side& side = copy.*which;
    if (copy.entries > UINT32_MAX / 2) return Bad(absl::StrCat(copy.entries, " entries"));
    if (side.list == nullptr) continue;
    const size_t length = pages.pages[side.list_index].size();
    const uint64_t last = (side.first + copy.entries - 1) / side.page_entries;
    if (side.first > UINT32_MAX / 2 || last >= length) {
      return Bad(absl::StrCat("page list ", side.list_index, " has ", length,
                              " pages, the chunk needs more"));
    }
    Use& use = (*uses)[side.list_index];
    use.list = side.list;
    use.first = std::min(use.first, side.first / side.page_entries);
    use.last = std::max(use.last, last);
  }
  for (Use& use : *uses) {
    uint32_t page_max = 0;  // a local, so that the loop is one of vectors
    const int32_t* list = use.list + (use.list == nullptr ? 0 : use.first);
    for (uint64_t i = 0, count = use.count(); i < count; ++i) {
      page_max = std::max(page_max, static_cast<uint32_t>(list[i]));
    }
    use.page_max = page_max;
  }
  return absl::OkStatus();
}

absl::Status WorkList::Check(StridedCopy::Side StridedCopy::*which, const planner::SidePages& pages,
                             absl::Span<const uint64_t> sizes, Uses* uses) const {
  if (absl::Status s = FindUses(which, pages, uses); !s.ok()) return s;
  const bool source = which == &StridedCopy::source;
  for (const StridedCopy& copy : copies_) {
    const StridedCopy::Side& side = copy.*which;
    const uint64_t page = side.list == nullptr ? side.row : (*uses)[side.list_index].page_max;
    if (side.region < sizes.size() && EndOf(copy, side, source, page) <= sizes[side.region]) {
      continue;
    }
    return Bad(absl::StrCat("page ", page, " of the ", source ? "source" : "target",
                            " is not inside its region ", side.region));
  }
  return absl::OkStatus();
}

uint64_t WorkList::BlockBytes() const {
  uint64_t pages = 0;
  for (const Uses* uses : {&source_uses_, &target_uses_}) {
    for (const Use& use : *uses) pages += use.count();
  }
  return copies_.size() * sizeof(Item) + pages * sizeof(int32_t);
}

ItemSide WorkList::SideOf(const StridedCopy::Side& side, const Uses& uses, uint64_t region_at,
                          uint64_t seen_at) const {
  ItemSide out{};
  out.base = region_at + side.offset;
  out.page_stride = side.page_stride;
  out.entry_stride = side.entry_stride;
  out.first = static_cast<uint32_t>(side.first);
  out.page_entries = static_cast<uint32_t>(side.page_entries);
  if (side.list == nullptr) {
    out.base += side.row * side.page_stride;
    return out;
  }
  const Use& use = uses[side.list_index];
  out.first -= static_cast<uint32_t>(use.first * side.page_entries);
  out.list = reinterpret_cast<const int32_t*>(seen_at + use.at);
  return out;
}

absl::Status WorkList::Write(std::byte* block, uint64_t seen_at,
                             absl::Span<const uint64_t> source_at,
                             absl::Span<const uint64_t> target_at, uint32_t group_bytes) {
  uint64_t at = copies_.size() * sizeof(Item);
  for (Uses* uses : {&source_uses_, &target_uses_}) {
    for (Use& use : *uses) {
      use.at = at;
      if (use.list == nullptr) continue;
      std::memcpy(block + at, use.list + use.first, use.count() * sizeof(int32_t));
      at += use.count() * sizeof(int32_t);
    }
  }
  groups_ = 0;
  auto* items = reinterpret_cast<Item*>(block);
  for (size_t i = 0; i < copies_.size(); ++i) {
    const StridedCopy& copy = copies_[i];
    Item item{};
    item.source = SideOf(copy.source, source_uses_, source_at[copy.source.region], seen_at);
    item.target = SideOf(copy.target, target_uses_, target_at[copy.target.region], seen_at);
    // Layers are cut alike as a rule.
    const bool alike = i > 0 && CutsAlike(copies_[i - 1], copy, items[i - 1], item);
    if (alike) {
      CopyCuts(items[i - 1], &item);
    } else if (!CutItem(copy, bytes_, group_bytes, &item)) {
      return absl::InternalError("cuda: too many pieces");
    }
    item.first_group = groups_;
    const uint64_t groups =
        groups_ + (uint64_t{item.pieces} + item.group_pieces - 1) / item.group_pieces;
    if (groups > UINT32_MAX / 2) return absl::InternalError("cuda: too many pieces");
    groups_ = static_cast<uint32_t>(groups);
    items[i] = item;
  }
  return absl::OkStatus();
}

}  // namespace baton::transport::cuda
