// Walks the places where two combs of different granules meet, in order, without dividing.
#ifndef BATON_PLANNER_COMB_MEETING_H_
#define BATON_PLANNER_COMB_MEETING_H_

#include <algorithm>
#include <cstdint>

#include "planner/own_entries.h"

namespace baton::planner {

// Stands on one tooth of each comb and steps from one tooth of the wide comb that meets a tooth of
// the odd one to the next. Counts the own entries of both sides on the way.
//
//   CombMeeting at(wide, odd, x);  // x lies in a tooth of both
//   while (at.Next(end)) { Use(at.begin(), at.wide_end()); }
//
// Thread-compatible; owns nothing.
class CombMeeting {
 public:
  CombMeeting() = default;
  CombMeeting(const Comb& wide, const Comb& odd, uint64_t x)
      : wide_step_{wide.period(), wide.granule()},
        odd_step_{odd.period(), odd.granule()},
        odd_periods_(odd.period()),
        wide_{wide.ToothBegin(x), wide.Below(wide.ToothBegin(x))},
        odd_{odd.ToothBegin(x), odd.Below(odd.ToothBegin(x))} {}

  // To the next tooth of the wide comb that meets one of the odd comb below `end`. False, and of no
  // more use, when there is none.
  bool Next(uint64_t end) {
    while (true) {
      wide_.begin += wide_step_.period;
      wide_.local += wide_step_.granule;
      if (wide_.begin >= end) return false;
      SkipOdd();
      if (odd_.begin < std::min(wide_end(), end)) return true;
    }
  }

  // Teeth that overlap: the odd one is the first that reaches into the wide one.
  uint64_t wide_begin() const { return wide_.begin; }
  uint64_t wide_end() const { return wide_.begin + wide_step_.granule; }
  uint64_t odd_begin() const { return odd_.begin; }
  uint64_t odd_end() const { return odd_.begin + odd_step_.granule; }
  // The first place that both hold.
  uint64_t begin() const { return std::max(wide_.begin, odd_.begin); }
  // Own entries before the tooth, of the side that the comb belongs to.
  uint64_t wide_local() const { return wide_.local; }
  uint64_t odd_local() const { return odd_.local; }

 private:
  struct Step {
    uint64_t period = 0;
    uint64_t granule = 0;
  };
  struct Tooth {
    uint64_t begin = 0;
    uint64_t local = 0;
  };

  // To the first tooth that ends behind the beginning of the wide one.
  void SkipOdd() {
    if (odd_end() > wide_.begin) return;
    const uint64_t teeth = odd_periods_.Quotient(wide_.begin - odd_end()) + 1;
    odd_.begin += teeth * odd_step_.period;
    odd_.local += teeth * odd_step_.granule;
  }

  Step wide_step_;
  Step odd_step_;
  FastDivide odd_periods_;
  Tooth wide_;
  Tooth odd_;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_COMB_MEETING_H_
