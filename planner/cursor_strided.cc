// The chunk as strided copies: for a device that works out the pages by itself.
#include "planner/cursor.h"
#include "planner/descriptor.h"

namespace baton::planner {

StridedCopy::Side Cursor::StridedSide(const SideAddress& address, const Side& side,
                                      uint64_t local) const {
  if (side.pages == nullptr) return {};
  const uint64_t page_entries = side.page_entries.divisor();
  return {.region = address.region,
          .offset = side.address.offset,
          .page_stride = address.page_stride,
          .entry_stride = address.entry_stride,
          .page_entries = page_entries,
          .list = side.list,
          .list_index = address.list,
          .row = side.row,
          .first = side.list == nullptr ? 0 : local - side.first_page * page_entries};
}

bool Cursor::NextStrided(StridedCopy* out) {
  if (left_ == 0 && !MoreStretches()) {
    finished_ = true;
    return false;
  }
  const CopyDescriptor& copy = plan_->copies[copy_ - 1];
  *out = {.source = StridedSide(copy.source, source_, at_stretch_.source_local()),
          .target = StridedSide(copy.target, target_, at_stretch_.target_local()),
          .entries = left_,
          .planes = {planes_, copy.source.plane_stride, copy.target.plane_stride},
          .heads = {copy.heads, copy.source.head_stride, copy.target.head_stride},
          .head_major = copy.head_major,
          .planes_in_entry = copy.planes_in_entry,
          .unit_bytes = copy.unit_bytes};
  left_ = 0;
  return true;
}

}  // namespace baton::planner
