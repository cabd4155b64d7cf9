// Judges plans by the oracle: every byte a target needs is written exactly once, from where a rank
// that holds it keeps it, and nothing else is written.
#ifndef BATON_PLANNER_PROOF_CHECK_H_
#define BATON_PLANNER_PROOF_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "planner/proof/model.h"

namespace baton::planner {

struct Tally {
  uint64_t pairs = 0;  // of servers
  uint64_t targets = 0;
  uint64_t plans = 0;
  uint64_t runs = 0;
  uint64_t bytes = 0;
};

// One room of a pair of servers. The servers' rooms must have been opened with the same tokens (the
// source's from token 0, the target's from the prefix).
struct Trial {
  ModelServer* source = nullptr;
  ModelServer* target = nullptr;
  RoutePolicy policy;
  RoomTokens tokens;
  std::vector<ChunkRange> chunks;  // together the whole room
  // Also plans the ranks that should send nothing, walks with one side known, and asks TargetsOf.
  bool thorough = false;
};

// OK, or what is wrong with the first wrong thing.
absl::Status CheckTarget(const Trial& trial, const RankCoord& target, Tally* tally);

// Chunks that cut [0, total) at random places, at times with layer ranges or an empty last chunk.
std::vector<ChunkRange> RandomChunks(const RoomTokens& tokens, uint32_t layers, Random& random);

}  // namespace baton::planner

#endif  // BATON_PLANNER_PROOF_CHECK_H_
