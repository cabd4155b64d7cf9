// Where one side of a pair keeps the bytes of a copy.
#ifndef BATON_PLANNER_SIDE_ADDRESS_H_
#define BATON_PLANNER_SIDE_ADDRESS_H_

#include <cstdint>

namespace baton::planner {

inline constexpr uint32_t kAuxRow = UINT32_MAX;

// Address of (page p, slot s, plane i, head h) in the
// region: offset + p * page_stride + s * entry_stride + i * plane_stride + h * head_stride.
struct SideAddress {
  uint32_t region = 0;
  // Index of the page list; with a set of rows, of the STATE row, or kAuxRow.
  uint32_t list = 0;
  uint64_t offset = 0;
  uint64_t page_stride = 0;
  uint64_t entry_stride = 0;
  uint64_t head_stride = 0;
  uint64_t plane_stride = 0;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_SIDE_ADDRESS_H_
