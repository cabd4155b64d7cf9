// The hot path of the cursor: no heap, no lock, no division. cursor_flat.cc has the hottest.
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

size_t Cursor::Next(absl::Span<CopyRun> out) {
  size_t used = 0;
  while (used < out.size()) {
    if (in_piece_) {
      used = EmitLoop(out, used);
    } else if (left_ == 0 && !MoreStretches()) {
      finished_ = true;
      break;
    } else if (flat_) {
      used = EmitFlat(out, used);
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
    at_stretch_ = StretchWalk(walk_, 0);
    if (OpenStretch()) return true;
  }
  return true;
}

bool Cursor::OpenStretch() {
  left_ = at_stretch_.stretch().size();
  if (left_ == 0) return false;
  Place(at_stretch_.source_local(), &source_);
  Place(at_stretch_.target_local(), &target_);
  return true;
}

bool Cursor::NextStretch() {
  if (!at_stretch_.Next()) at_stretch_ = StretchWalk(walk_, at_stretch_.resume());
  return OpenStretch();
}

// Whether the axis continues runs of `length` bytes without a gap on every side that is known.
bool Cursor::Joined(const Axis& axis, uint64_t length) const {
  return axis.count == 1 || ((source_.pages == nullptr || axis.source_stride == length) &&
                             (target_.pages == nullptr || axis.target_stride == length));
}

void Cursor::OpenPiece() {
  const uint64_t entries = std::min({left_, source_.page_entries.divisor() - source_.slot,
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
  left_ -= entries;
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
