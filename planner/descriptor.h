// What PairPlan is made of. Only the cursor and the planner itself look inside.
#ifndef BATON_PLANNER_DESCRIPTOR_H_
#define BATON_PLANNER_DESCRIPTOR_H_

#include <cstdint>

#include "planner/break.h"
#include "planner/plan.h"
#include "planner/shared_entries.h"
#include "planner/side_address.h"

namespace baton::planner {

// The part of a set's entries that one of several equal holders sends: of M entries those with
// ordinals in [M * begin / of, M * end / of), rounded down. Holders' parts follow one another.
struct Share {
  uint64_t begin = 0;
  uint64_t end = 1;
  uint64_t of = 1;

  bool whole() const { return begin == 0 && end == of; }
  bool operator==(const Share&) const = default;

  Span64 Of(uint64_t entries) const {
    const auto part = [&](uint64_t n) {
      return static_cast<uint64_t>(static_cast<unsigned __int128>(entries) * n / of);
    };
    return {part(begin), part(end) + (Broken(10) && end < of)};
  }
};

// The order of a copy's bytes: ascending entries in pieces (what lies in one page of either side);
// in a piece planes, then entries, then heads; or planes, then heads, then entries (head_major); or
// entries, then planes, then heads (planes_in_entry).
struct CopyDescriptor {
  uint32_t set = 0;          // index into PairPlan::sets
  uint32_t first_layer = 0;  // index into PairPlan::layers: the layer of each plane, ascending
  uint32_t planes = 1;
  uint32_t heads = 1;       // runs of `unit_bytes` at head_stride
  uint32_t unit_bytes = 0;  // contiguous on both sides
  bool head_major = false;
  bool planes_in_entry = false;
  Share share;
  SideAddress source;
  SideAddress target;

  uint64_t entry_bytes() const { return uint64_t{heads} * unit_bytes; }
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_DESCRIPTOR_H_
