// Lays a rank's share of a cache out in memory, in one of the orders that real engines use, and
// says how large the regions are. The planner sees the result only as offsets and strides.
#ifndef BATON_TESTS_DEMO_CONTENT_POOL_LAYOUT_H_
#define BATON_TESTS_DEMO_CONTENT_POOL_LAYOUT_H_

#include <cstdint>
#include <vector>

#include "planner/layout.h"
#include "tests/demo/model/ownership.h"
#include "tests/demo/model/topology.h"

namespace baton::demo {

struct PoolLayout {
  planner::RankLayout layout;
  std::vector<uint64_t> region_sizes;
};

struct PoolSizes {
  std::vector<uint32_t> pages;  // of each page group
  uint32_t rows = 0;            // of each STATE and AUX tensor
};

// Paged buffers fill two regions, rows a third. Regions are whole memory pages.
PoolLayout LayOut(const Ownership& ownership, PoolOrder order, const PoolSizes& sizes);

// Pages of each group that a rank needs to hold its share of sequences of `tokens` together, when
// one page in 16 is a guard.
PoolSizes SizesFor(const Ownership& ownership, uint64_t tokens, uint32_t rows);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_CONTENT_POOL_LAYOUT_H_
