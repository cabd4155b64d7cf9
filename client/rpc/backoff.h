// When to try again: delays that double up to a cap, each drawn from its upper half so that many
// clients of one service do not come back together. Pure: the seed is an argument.
#ifndef BATON_CLIENT_RPC_BACKOFF_H_
#define BATON_CLIENT_RPC_BACKOFF_H_

#include <algorithm>
#include <cstdint>
#include <random>

#include "common/clock.h"

namespace baton {

class Backoff {
 public:
  Backoff(Duration first, Duration cap, uint64_t seed)
      : first_(first), cap_(cap), next_(first), random_(static_cast<uint32_t>(seed)) {}

  // The delay before the next attempt, at most the cap and `at_most`.
  Duration Next(Duration at_most) {
    Duration full = std::min(next_, std::max(at_most, first_));
    next_ = std::min(cap_, next_ * 2);
    std::uniform_int_distribution<Duration::rep> draw(full.count() / 2, full.count());
    return Duration(draw(random_));
  }
  Duration Next() { return Next(cap_); }
  void Reset() { next_ = first_; }

 private:
  Duration first_;
  Duration cap_;
  Duration next_;
  std::minstd_rand random_;
};

}  // namespace baton

#endif  // BATON_CLIENT_RPC_BACKOFF_H_
