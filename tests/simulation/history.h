// One seed, one history: a cluster comes up, requests run while faults happen, everything is
// mended, and what is left is looked at.
#ifndef BATON_TESTS_SIMULATION_HISTORY_H_
#define BATON_TESTS_SIMULATION_HISTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.h"
#include "tests/simulation/figures.h"

namespace baton::sim {

struct Outcome {
  std::string violation;  // empty: everything held
  uint64_t digest = 0;    // equal seeds, equal digests
  uint64_t steps = 0;
  uint64_t requests = 0;
  uint64_t faults = 0;
  uint64_t rooms_done = 0;
  uint64_t rooms_failed = 0;
  uint64_t clean_requests = 0;
  uint64_t agents = 0;  // starts
  uint64_t quarantined = 0;
  uint64_t flipped = 0;
  uint64_t moved = 0;         // parts that landed over another channel than their first
  uint64_t without_rail = 0;  // requests that had no rail left
  std::vector<Duration> abort_times;
  Figures figures;
};

Outcome RunHistory(uint64_t seed, bool trace);

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_HISTORY_H_
