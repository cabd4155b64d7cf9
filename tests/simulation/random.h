// The one source of chance of a history: equal seeds draw equal numbers on every machine.
#ifndef BATON_TESTS_SIMULATION_RANDOM_H_
#define BATON_TESTS_SIMULATION_RANDOM_H_

#include <cstdint>

#include "common/clock.h"

namespace baton::sim {

inline constexpr Duration kMicro = std::chrono::microseconds(1);
inline constexpr Duration kMilli = std::chrono::milliseconds(1);
inline constexpr Duration kSecond = std::chrono::seconds(1);

// splitmix64. Thread-compatible.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // In [0, n); n > 0.
  uint64_t Below(uint64_t n) { return Next() % n; }
  bool Chance(uint32_t percent) { return Below(100) < percent; }
  // In [from, to).
  Duration Between(Duration from, Duration to) {
    return from + Duration(static_cast<int64_t>(Below((to - from).count())));
  }

 private:
  uint64_t state_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_RANDOM_H_
