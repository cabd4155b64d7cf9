// Random pairs of servers, one room each, judged by the oracle.
#ifndef BATON_PLANNER_PROOF_RANDOM_TRIALS_H_
#define BATON_PLANNER_PROOF_RANDOM_TRIALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "planner/proof/check.h"
#include "planner/proof/specs.h"

namespace baton::planner {

struct TrialBounds {
  uint32_t ranks = 24;   // of each side
  uint32_t layers = 12;  // at most; sizes are log-uniform
  uint64_t tokens = 64;
  uint32_t targets = 2;  // checked with all their sources
};

// Trial number `seed`: the same number, the same trial. The error says which it was.
absl::Status RandomTrial(uint64_t seed, const TrialBounds& bounds, Tally* tally);

// "PP x CP (sharding) x TP" of both sides and the room, for messages.
std::string Describe(const Trial& trial, const RankCoord& target);

}  // namespace baton::planner

#endif  // BATON_PLANNER_PROOF_RANDOM_TRIALS_H_
