// The hottest path of the cursor: copies of which every piece is one run, so that its place is all
// there is to compute. Works on local variables: the compiler cannot tell that `out` does not point
// into the cursor.
#include <algorithm>

#include "planner/cursor.h"
#include "planner/descriptor.h"

namespace baton::planner {
namespace {

constexpr uint64_t kNever = ~uint64_t{0};

}  // namespace

// One side's place, in registers. Of a side that is not known every address is 0 and no page ends.
template <bool kKnown>
class Cursor::FlatSide {
 public:
  FlatSide(const Side& side, uint64_t unit) {
    if (!kKnown) return;
    unit_ = unit;
    list_ = side.list;
    first_page_ = side.first_page;
    page_entries_ = side.page_entries;
    address_ = side.address;
    slot_ = side.slot;
    page_ = list_ + side.page;
  }

  uint32_t region() const { return kKnown ? address_.region : 0; }
  uint64_t entries_left() const { return kKnown ? page_entries_.divisor() - slot_ : kNever; }
  uint64_t offset() const {
    if (!kKnown) return 0;
    return address_.offset + static_cast<uint32_t>(*page_) * address_.page_stride + slot_ * unit_;
  }
  // Whether a run that ends before `next` is continued at `offset`.
  static bool Continues(uint64_t offset, uint64_t next) { return !kKnown || offset == next; }

  void Place(uint64_t local) {
    if (!kKnown) return;
    const uint64_t page = page_entries_.Quotient(local);
    slot_ = local - page * page_entries_.divisor();
    page_ = list_ + (page - first_page_);
  }
  void Advance(uint64_t entries) {
    if (!kKnown) return;
    slot_ += entries;
    if (slot_ == page_entries_.divisor()) slot_ = 0, ++page_;
  }
  void Store(Side* side) const {
    if (!kKnown) return;
    side->slot = slot_;
    side->page = page_ - list_;
  }

 private:
  uint64_t unit_ = 0;
  const int32_t* list_ = nullptr;
  uint64_t first_page_ = 0;
  FastDivide page_entries_;
  SideAddress address_;
  uint64_t slot_ = 0;
  const int32_t* page_ = nullptr;
};

template <bool kSource, bool kTarget>
size_t Cursor::EmitFlatOf(absl::Span<CopyRun> out, size_t used) {
  const uint64_t unit = plan_->copies[copy_ - 1].unit_bytes;
  FlatSide<kSource> source(source_, unit);
  FlatSide<kTarget> target(target_, unit);
  StretchWalk at = at_stretch_;
  uint64_t left = left_;
  CopyRun* run = out.data() + used;
  CopyRun* const end = out.data() + out.size();
  // What continues the run before.
  uint64_t source_next = kNever;
  uint64_t target_next = kNever;
  if (used > 0 && FlatSide<kSource>::Continues(source.region(), run[-1].source_region) &&
      FlatSide<kTarget>::Continues(target.region(), run[-1].target_region)) {
    source_next = run[-1].source_offset + run[-1].length;
    target_next = run[-1].target_offset + run[-1].length;
  }
  while (true) {
    if (left == 0) {
      if (!at.Next()) {
        at = StretchWalk(walk_, at.resume());
        if (at.stretch().empty()) break;
      }
      left = at.stretch().size();
      source.Place(at.source_local());
      target.Place(at.target_local());
    }
    const uint64_t entries = std::min({left, source.entries_left(), target.entries_left()});
    const uint64_t from = source.offset();
    const uint64_t to = target.offset();
    const uint64_t length = entries * unit;
    if (FlatSide<kSource>::Continues(from, source_next) &&
        FlatSide<kTarget>::Continues(to, target_next)) {
      run[-1].length += length;
    } else {
      if (run == end) break;
      *run++ = {source.region(), target.region(), from, to, length};
    }
    source_next = from + length;
    target_next = to + length;
    left -= entries;
    source.Advance(entries);
    target.Advance(entries);
  }
  at_stretch_ = at;
  left_ = left;
  source.Store(&source_);
  target.Store(&target_);
  return run - out.data();
}

size_t Cursor::EmitFlat(absl::Span<CopyRun> out, size_t used) {
  if (source_.pages == nullptr) return EmitFlatOf<false, true>(out, used);
  if (target_.pages == nullptr) return EmitFlatOf<true, false>(out, used);
  return EmitFlatOf<true, true>(out, used);
}

}  // namespace baton::planner
