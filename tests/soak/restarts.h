// Which process is ended next, and how: each in turn, in an order drawn from a seed.
#ifndef BATON_TESTS_SOAK_RESTARTS_H_
#define BATON_TESTS_SOAK_RESTARTS_H_

#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/chaos/fault_draw.h"

namespace baton::soak {

// Prefill servers 0 and 1, decode servers 2 and 3. Of 0 and 2 the engines are restarted, of 1 and 3
// the agents: so an agent of each role lives through the whole run with engines that come and go,
// and an engine of each role with agents that do.
class Restarts {
 public:
  static constexpr size_t kTurns = 5;

  explicit Restarts(uint64_t seed) : random_(seed) {}

  // The service and agents are killed in one round and asked to end in another.
  chaos::Fault Next();

 private:
  std::mt19937_64 random_;
  std::vector<uint32_t> round_;  // what is left of it
  uint32_t rounds_ = 0;
};

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_RESTARTS_H_
