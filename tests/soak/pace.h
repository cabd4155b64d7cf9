// How many rooms a second: raised until rooms come late, lowered when they do.
#ifndef BATON_TESTS_SOAK_PACE_H_
#define BATON_TESTS_SOAK_PACE_H_

#include "common/clock.h"

namespace baton::soak {

// Pure: time is an argument. Thread-compatible.
class Pace {
 public:
  // `rate`: rooms a second, kept as it is; 0: finds out how many can be carried.
  explicit Pace(double rate);

  double rate() const { return rate_; }
  // The next room is late by so much. True when the backlog was given up and the rate lowered: what
  // is due counts from now on.
  bool Observe(Duration late, TimePoint now);

 private:
  const bool fixed_;
  double rate_;
  bool searching_ = true;  // nothing came late yet
  TimePoint next_look_;
};

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_PACE_H_
