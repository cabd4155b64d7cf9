// The checker's bounds, and the longest of what they judged.
#ifndef BATON_TESTS_SIMULATION_FIGURES_H_
#define BATON_TESTS_SIMULATION_FIGURES_H_

#include <algorithm>
#include <cstdint>

#include "common/clock.h"
#include "tests/simulation/random.h"

namespace baton::sim {

// Bounds, in virtual time.
inline constexpr Duration kLease = 3 * kSecond;
inline constexpr Duration kSilence = 3 * kSecond;
inline constexpr Duration kNoticeSlack = 500 * kMilli;
inline constexpr Duration kGoodbyeTime = 100 * kMilli;  // a planned stop is heard of
inline constexpr Duration kFailSlack = kSecond;         // both sides, after a death was noticed
inline constexpr Duration kDeadlineSlack = 50 * kMilli;
inline constexpr Duration kCleanTime = kSecond;  // a room nobody disturbs, once all is sent
// Released at the rank that aborts: with live peers, and whatever its peers do.
inline constexpr Duration kAbortTime = 5 * kMilli;
inline constexpr Duration kAbortTimeOfDead = 100 * kMilli;  // beyond the fence deadline

struct Longest {
  Duration time = Duration(0);
  uint64_t of = 0;

  void Note(Duration one) { *this += {one, 1}; }
  Longest& operator+=(const Longest& other) {
    time = std::max(time, other.time);
    of += other.of;
    return *this;
  }
};

struct Figures {
  // From the death of an agent to the word of it at a peer.
  Longest noticed;
  // From the death of a rank's engine or agent to the end of a room at the other side.
  Longest ended;
  // From an abort to released, beyond the fence's deadline, with peers that are dead or disturbed.
  Longest abort_of_dead;
  // From a planned stop to the word of it at a peer.
  Longest goodbye;
  // Requests that landed while the bootstrap service was away.
  uint64_t beside_restart = 0;

  Figures& operator+=(const Figures& other) {
    noticed += other.noticed;
    ended += other.ended;
    abort_of_dead += other.abort_of_dead;
    goodbye += other.goodbye;
    beside_restart += other.beside_restart;
    return *this;
  }
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_FIGURES_H_
