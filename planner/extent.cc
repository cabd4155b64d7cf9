#include "planner/extent.h"

#include <algorithm>

namespace baton::planner {
namespace {

using Signed = __int128;

// Extents from axis `i` on, a's at `at_a` and b's at `at_b` in a common frame.
bool ApartFrom(const Extent& a, const Extent& b, int i, Signed at_a, Signed at_b) {
  const Signed length_a = static_cast<Signed>(a.Length(i));
  const Signed length_b = static_cast<Signed>(b.Length(i));
  if (at_a + length_a <= at_b || at_b + length_b <= at_a) return true;
  if (i >= a.axes || i >= b.axes || a.axis[i].stride != b.axis[i].stride) return false;
  // Within one stride the inner parts lie at these places; each may meet the other's next one.
  const Signed stride = static_cast<Signed>(a.axis[i].stride);
  const auto place = [&](Signed at) { return (at % stride + stride) % stride; };
  const Signed in_a = place(at_a);
  const Signed in_b = place(at_b);
  return ApartFrom(a, b, i + 1, in_a, in_b) && ApartFrom(a, b, i + 1, in_a, in_b + stride) &&
         ApartFrom(a, b, i + 1, in_a + stride, in_b);
}

}  // namespace

unsigned __int128 Extent::Length(int from) const {
  unsigned __int128 length = unit;
  for (int i = from; i < axes; ++i) {
    length += static_cast<unsigned __int128>(axis[i].stride) * (axis[i].count - 1);
  }
  return length;
}

bool Extent::Nested() const {
  for (int i = 0; i < axes; ++i) {
    if (axis[i].stride < Length(i + 1)) return false;
  }
  return true;
}

Extent ExtentOf(const BufferLayout& buffer, uint64_t page_entries, uint64_t heads,
                uint64_t head_bytes) {
  Extent extent;
  extent.offset = buffer.offset;
  extent.unit = head_bytes;
  const Extent::Axis all[] = {{buffer.page_stride, buffer.pages},
                              {buffer.entry_stride, page_entries},
                              {buffer.head_stride, heads}};
  for (const Extent::Axis& axis : all) {
    if (axis.count > 1) extent.axis[extent.axes++] = axis;
  }
  std::stable_sort(extent.axis, extent.axis + extent.axes,
                   [](const auto& a, const auto& b) { return a.stride > b.stride; });
  return extent;
}

bool Apart(const Extent& a, const Extent& b) {
  return ApartFrom(a, b, 0, static_cast<Signed>(a.offset), static_cast<Signed>(b.offset));
}

}  // namespace baton::planner
