// The hot path of the cursor: no heap, no lock, a division only where two combs of different
// granules meet.
#include "planner/cursor.h"

#include <algorithm>

#include "planner/break.h"
#include "planner/descriptor.h"

namespace baton::planner {

inline void Cursor::Place(uint64_t local, Side* side) {
  const uint64_t page = side->page_entries.Quotient(local);
  side->slot = local - page * side->page_entries.divisor();
  side->page = page - side->first_page;
}

inline void Cursor::Advance(uint64_t entries, Side* side) {
  side->slot += entries;
  if (side->slot < side->page_entries.divisor()) return;
  side->slot = 0;
  if (!Broken(13)) ++side->page;
}

// False when the rule that the teeth follow ends here.
inline bool Cursor::NextTooth() {
  const uint64_t step = walk_.step();
  if (step == 0 || tooth_ + step >= until_) return false;
  tooth_ += step;
  stretch_ = {tooth_, std::min(tooth_ + walk_.tooth(), until_)};
  source_.local += source_.step;
  target_.local += target_.step;
  Place(source_.local, &source_);
  Place(target_.local, &target_);
  return true;
}

size_t Cursor::Next(absl::Span<CopyRun> out) {
  size_t used = 0;
  while (used < out.size()) {
    if (in_piece_) {
      used = EmitLoop(out, used);
    } else if (stretch_.empty() && !MoreStretches()) {
      finished_ = true;
      break;
    } else if (flat_) {
      used = source_.pages == nullptr   ? EmitFlat<false, true>(out, used)
             : target_.pages == nullptr ? EmitFlat<true, false>(out, used)
                                        : EmitFlat<true, true>(out, used);
    } else {
      OpenPiece();
      if (axes_ > 0) continue;
      in_piece_ = false;
      if (used == 0 || !Extend(&out[used - 1])) Emit(&out[used++]);
    }
  }
  return used;
}

bool Cursor::MoreStretches() {
  while (!in_copy_ || !NextStretch()) {
    in_copy_ = false;
    if (finished_ || copy_ == plan_->copies.size()) return false;
    if (!OpenCopy(plan_->copies[copy_++])) continue;
    in_copy_ = true;
    FirstStretch(walk_.StretchFrom(0));
    if (!stretch_.empty()) return true;
  }
  return true;
}

// Where every piece is one run, its place is all there is to compute. Works on local variables: the
// compiler cannot tell that `out` does not point into the cursor.
template <bool kSource, bool kTarget>
size_t Cursor::EmitFlat(absl::Span<CopyRun> out, size_t used) {
  constexpr uint64_t kNever = ~uint64_t{0};
  const uint64_t unit = plan_->copies[copy_ - 1].unit_bytes;
  const uint64_t source_entries = kSource ? source_.page_entries.divisor() : kNever;
  const uint64_t target_entries = kTarget ? target_.page_entries.divisor() : kNever;
  const SideAddress source = source_.address;
  const SideAddress target = target_.address;
  uint64_t source_slot = kSource ? source_.slot : 0;
  uint64_t target_slot = kTarget ? target_.slot : 0;
  const int32_t* source_page = kSource ? source_.list + source_.page : nullptr;
  const int32_t* target_page = kTarget ? target_.list + target_.page : nullptr;
  uint64_t left = stretch_.size();
  CopyRun* run = out.data() + used;
  CopyRun* const end = out.data() + out.size();
  // What continues the run before.
  uint64_t source_next = kNever;
  uint64_t target_next = kNever;
  if (used > 0 && (!kSource || run[-1].source_region == source.region) &&
      (!kTarget || run[-1].target_region == target.region)) {
    source_next = run[-1].source_offset + run[-1].length;
    target_next = run[-1].target_offset + run[-1].length;
  }
  while (true) {
    if (left == 0) {
      if (!NextTooth() && !NextStretch()) break;
      left = stretch_.size();
      if (kSource) source_slot = source_.slot, source_page = source_.list + source_.page;
      if (kTarget) target_slot = target_.slot, target_page = target_.list + target_.page;
    }
    const uint64_t entries =
        std::min(left, std::min(source_entries - source_slot, target_entries - target_slot));
    const uint64_t from = kSource ? source.offset +
                                        static_cast<uint32_t>(*source_page) * source.page_stride +
                                        source_slot * unit
                                  : 0;
    const uint64_t to = kTarget ? target.offset +
                                      static_cast<uint32_t>(*target_page) * target.page_stride +
                                      target_slot * unit
                                : 0;
    const uint64_t length = entries * unit;
    if ((!kSource || from == source_next) && (!kTarget || to == target_next)) {
      run[-1].length += length;
    } else {
      if (run == end) break;
      *run++ = {source.region, target.region, from, to, length};
    }
    source_next = from + length;
    target_next = to + length;
    left -= entries;
    source_slot += entries;
    target_slot += entries;
    if (source_slot == source_entries) source_slot = 0, ++source_page;
    if (target_slot == target_entries) target_slot = 0, ++target_page;
  }
  stretch_.begin = stretch_.end - left;
  if (kSource) source_.slot = source_slot, source_.page = source_page - source_.list;
  if (kTarget) target_.slot = target_slot, target_.page = target_page - target_.list;
  return run - out.data();
}

void Cursor::FirstStretch(Span64 stretch) {
  stretch_ = stretch;
  if (stretch.empty()) return;
  const uint64_t skipped = walk_.step() == 0 ? 0 : walk_.IntoTooth(stretch.begin);
  tooth_ = stretch.begin - skipped;
  until_ = walk_.step() == 0 ? stretch.end : walk_.Until(stretch.begin);
  // Of the whole tooth, from which the next ones are counted.
  source_.local = walk_.source().Local(stretch.begin) - skipped;
  target_.local = walk_.target().Local(stretch.begin) - skipped;
  Place(source_.local + skipped, &source_);
  Place(target_.local + skipped, &target_);
}

bool Cursor::NextStretch() {
  if (NextTooth()) return true;
  FirstStretch(walk_.StretchFrom(until_));
  return !stretch_.empty();
}

// Whether the axis continues runs of `length` bytes without a gap on every side that is known.
bool Cursor::Joined(const Axis& axis, uint64_t length) const {
  return axis.count == 1 || ((source_.pages == nullptr || axis.source_stride == length) &&
                             (target_.pages == nullptr || axis.target_stride == length));
}

void Cursor::OpenPiece() {
  const uint64_t entries = std::min({stretch_.size(), source_.page_entries.divisor() - source_.slot,
                                     target_.page_entries.divisor() - target_.slot});
  for (Side* side : {&source_, &target_}) {
    if (side->pages == nullptr) continue;
    const uint64_t page =
        side->list == nullptr ? side->row : static_cast<uint32_t>(side->list[side->page]);
    side->piece = side->address.offset + page * side->address.page_stride +
                  side->slot * side->address.entry_stride;
  }
  const CopyDescriptor& copy = plan_->copies[copy_ - 1];
  const SideAddress& s = source_.address;
  const SideAddress& t = target_.address;
  const Axis by_plane{planes_, s.plane_stride, t.plane_stride};
  const Axis by_entry{entries, s.entry_stride, t.entry_stride};
  const Axis by_head{copy.heads, s.head_stride, t.head_stride};
  axis_[0] = copy.planes_in_entry ? by_entry : by_plane;
  axis_[1] = copy.planes_in_entry ? by_plane : copy.head_major ? by_head : by_entry;
  axis_[2] = copy.head_major ? by_entry : by_head;
  run_bytes_ = copy.unit_bytes;
  axes_ = 3;
  while (axes_ > 0 && Joined(axis_[axes_ - 1], run_bytes_)) run_bytes_ *= axis_[--axes_].count;
  in_piece_ = true;
  stretch_.begin += entries;
  Advance(entries, &source_);
  Advance(entries, &target_);
}

void Cursor::Emit(CopyRun* run) const {
  *run = {source_.address.region, target_.address.region, source_.piece, target_.piece, run_bytes_};
}

bool Cursor::Extend(CopyRun* last) const {
  if (source_.pages != nullptr && (last->source_region != source_.address.region ||
                                   last->source_offset + last->length != source_.piece)) {
    return false;
  }
  if (target_.pages != nullptr && (last->target_region != target_.address.region ||
                                   last->target_offset + last->length != target_.piece)) {
    return false;
  }
  last->length += run_bytes_;
  return true;
}

// Runs along the innermost axis; `piece` moves with the outer ones.
size_t Cursor::EmitLoop(absl::Span<CopyRun> out, size_t used) {
  const int inner = axes_ - 1;
  const Axis axis = axis_[inner];
  while (used < out.size()) {
    const uint64_t left = axis.count - at_[inner];
    const uint64_t count = std::min<uint64_t>(left, out.size() - used);
    for (uint64_t i = 0; i < count; ++i) {
      Emit(&out[used++]);
      source_.piece += axis.source_stride;
      target_.piece += axis.target_stride;
    }
    at_[inner] += count;
    if (at_[inner] < axis.count) return used;
    int i = inner;
    while (at_[i] == axis_[i].count) {
      source_.piece -= axis_[i].count * axis_[i].source_stride;
      target_.piece -= axis_[i].count * axis_[i].target_stride;
      at_[i] = 0;
      if (i == 0) {
        in_piece_ = false;
        return used;
      }
      --i;
      ++at_[i];
      source_.piece += axis_[i].source_stride;
      target_.piece += axis_[i].target_stride;
    }
  }
  return used;
}

}  // namespace baton::planner
