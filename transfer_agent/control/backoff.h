// Waits between attempts: doubling up to a cap, each between half and all of its step, so that many
// agents that lost one peer at once do not come back at once. Pure; thread-compatible.
#ifndef BATON_TRANSFER_AGENT_CONTROL_BACKOFF_H_
#define BATON_TRANSFER_AGENT_CONTROL_BACKOFF_H_

#include <algorithm>
#include <cstdint>

#include "common/clock.h"

namespace baton::control {

class Backoff {
 public:
  Backoff(Duration first, Duration cap, uint64_t seed)
      : first_(first), cap_(cap), step_(first), random_(seed) {}

  // The next wait, in (step / 2, step].
  Duration Next() {
    const Duration step = step_;
    step_ = std::min(step_ * 2, cap_);
    return step - Duration(static_cast<int64_t>(Draw() % (step.count() / 2 + 1)));
  }
  void Reset() { step_ = first_; }

 private:
  // splitmix64.
  uint64_t Draw() {
    uint64_t z = (random_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  const Duration first_;
  const Duration cap_;
  Duration step_;
  uint64_t random_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_BACKOFF_H_
