// The bytes of one buffer as nested strides, to tell whether two buffers can touch.
#ifndef BATON_PLANNER_EXTENT_H_
#define BATON_PLANNER_EXTENT_H_

#include <cstdint>

#include "planner/layout.h"
#include "planner/split.h"

namespace baton::planner {

// Runs of `unit` bytes at every combination of the axes, outermost (largest stride) first.
struct Extent {
  struct Axis {
    uint64_t stride = 0;
    uint64_t count = 1;
  };
  uint64_t offset = 0;
  uint64_t unit = 0;
  int axes = 0;
  Axis axis[3];

  // Bytes from the first to the last that the axes from `from` on span.
  unsigned __int128 Length(int from = 0) const;
  // Whether no two runs share a byte.
  bool Nested() const;
};

Extent ExtentOf(const BufferLayout& buffer, uint64_t page_entries, uint64_t heads,
                uint64_t head_bytes);

// True when the two provably share no byte: their bounds are apart, or they have the same outer
// stride and are apart within it. Buffers that interleave in another way are taken to overlap.
bool Apart(const Extent& a, const Extent& b);

}  // namespace baton::planner

#endif  // BATON_PLANNER_EXTENT_H_
