// The cache of one rank: its pool and its allocators. A room takes a share of it and gives it back.
#ifndef BATON_TESTS_DEMO_ENGINE_RANK_MEMORY_H_
#define BATON_TESTS_DEMO_ENGINE_RANK_MEMORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/layout.h"
#include "tests/demo/content/placement.h"
#include "tests/demo/engine/page_allocator.h"
#include "tests/demo/engine/pool.h"
#include "tests/demo/model/ownership.h"
#include "tests/demo/model/topology.h"

namespace baton::demo {

// What one room has of a rank's memory.
struct RoomShare {
  std::vector<Placement> groups;     // one for each page group
  std::vector<uint32_t> state_rows;  // one for each STATE tensor of the spec
  uint32_t aux_row = 0;

  std::vector<absl::Span<const int32_t>> AllPages() const;
  std::vector<absl::Span<const int32_t>> PagesOf(uint64_t begin, uint64_t end) const;
};

struct RankMemoryOptions {
  planner::ServerSpec spec;
  RankCoord coord;
  PoolOrder order = PoolOrder::kToken;
  uint64_t pool_tokens = 0;
  uint32_t rooms_max = 0;
  uint64_t seed = 0;
  std::string name;
};

// Thread-compatible.
class RankMemory {
 public:
  static absl::StatusOr<std::unique_ptr<RankMemory>> Create(RankMemoryOptions options);

  const planner::ServerSpec& spec() const { return spec_; }
  const Ownership& ownership() const { return ownership_; }
  Pool& pool() { return *pool_; }

  // A share for the tokens in [from, total). nullopt when something is used up at the moment.
  std::optional<RoomShare> Allocate(uint64_t from, uint64_t total);
  void Free(const RoomShare& share);

  // Row of the room in a buffer with rows.
  uint32_t RowOf(const RoomShare& share, size_t view) const;
  // Bytes of the tokens in [from, total) and of the rows.
  uint64_t BytesOf(const RoomShare& share, uint64_t from) const;

 private:
  explicit RankMemory(RankMemoryOptions options);

  planner::ServerSpec spec_;
  Ownership ownership_;
  std::unique_ptr<Pool> pool_;
  std::vector<PageAllocator> pages_;  // one for each page group
  // One for each tensor with rows: the STATE tensors in order, then AUX.
  std::vector<PageAllocator> rows_;
  std::vector<size_t> row_index_;  // of each tensor of the spec, in rows_
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_RANK_MEMORY_H_
