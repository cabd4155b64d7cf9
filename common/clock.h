// Time as the programs read it. Pure cores take a time point as an argument instead.
#ifndef BATON_COMMON_CLOCK_H_
#define BATON_COMMON_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace baton {

using Monotonic = std::chrono::steady_clock;
using TimePoint = Monotonic::time_point;
using Duration = Monotonic::duration;

inline uint64_t UnixMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Milliseconds until `deadline`, never negative, at most `max`.
inline uint32_t MillisLeft(TimePoint deadline, TimePoint now, uint32_t max = UINT32_MAX) {
  if (deadline <= now) return 0;
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count() + 1;
  return left > max ? max : static_cast<uint32_t>(left);
}

}  // namespace baton

#endif  // BATON_COMMON_CLOCK_H_
