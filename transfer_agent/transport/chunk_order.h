// How far the chunks of a room have come, for each page group. The source takes a chunk only where
// the one before it ended; a target takes none that goes back behind what it has, and no two parts
// that lie over each other. Bytes that are counted and never repeated are all of them when their
// sum is the plan's: a count alone is not, for half of the tokens may have come twice.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CHUNK_ORDER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CHUNK_ORDER_H_

#include <cstdint>
#include <optional>

#include "planner/layout.h"
#include "planner/limits.h"

namespace baton::transport {

// Thread-compatible. Allocates nothing.
class ChunkOrder {
 public:
  // Of one page group: from where on, in which layers, and the chunk that came last.
  struct Reach {
    uint64_t first_token = 0;
    uint32_t layer_begin = 0;
    uint32_t layer_end = 0;
    planner::ChunkRange last;
  };
  // The page group in which a chunk does not go on, and what it had before.
  struct Break {
    uint32_t group = 0;
    planner::ChunkRange before;
  };

  const std::optional<Reach>& reach(uint32_t group) const { return reach_[group]; }

  // The source sees every chunk: the tokens that follow, or more layers of the same tokens.
  std::optional<Break> LeavesGap(const planner::ChunkRange& next) const;
  // To a target, chunks that have nothing for it do not come: gaps are no fault, repetitions are.
  std::optional<Break> GoesBack(const planner::ChunkRange& next) const;
  // Of two parts of one room: both have some byte.
  bool Overlaps(const ChunkOrder& other) const;

  void Add(const planner::ChunkRange& chunk);

 private:
  std::optional<Reach> reach_[planner::kPageGroupsMax];
  std::optional<planner::ChunkRange> closed_;  // by the last chunk
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CHUNK_ORDER_H_
