// Walks the stretches of SharedEntries one after another: additions, and one multiplication where
// the teeth of two combs meet anew. Small and without pointers, so that a hot loop can keep it in
// registers.
//
//   for (StretchWalk at(shared, from); !at.stretch().empty(); at.Next()) { ... }
#ifndef BATON_PLANNER_STRETCH_WALK_H_
#define BATON_PLANNER_STRETCH_WALK_H_

#include <algorithm>
#include <cstdint>

#include "absl/base/attributes.h"
#include "planner/comb_meeting.h"
#include "planner/own_entries.h"
#include "planner/shared_entries.h"
#include "planner/split.h"

namespace baton::planner {

// Thread-compatible; owns and borrows nothing.
class StretchWalk {
 public:
  // Before the first stretch: empty.
  StretchWalk() = default;
  // At the first stretch at or after `from`, or empty when there is none.
  StretchWalk(const SharedEntries& shared, uint64_t from);

  const Span64& stretch() const { return stretch_; }
  // Own entries of each side before the stretch.
  uint64_t source_local() const { return source_local_ + skipped_; }
  uint64_t target_local() const { return target_local_ + skipped_; }

  // To the next stretch of the same run of entries. False, with the walk where it was, when there
  // is none: the next run begins at or after resume().
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool Next() { return NextTooth() || (two_combs_ && NextMeeting()); }
  uint64_t resume() const { return run_end_; }

 private:
  // Teeth follow one another at a fixed distance as long as nothing else thins them.
  bool NextTooth() {
    if (step_ == 0 || tooth_ + step_ >= until_) return false;
    tooth_ += step_;
    stretch_ = {tooth_, std::min(tooth_ + width_, until_)};
    skipped_ = 0;
    source_local_ += source_step_;
    target_local_ += target_step_;
    return true;
  }
  bool NextMeeting() {
    if (!meeting_.Next(run_end_)) return false;
    tooth_ = meeting_.odd_begin();
    until_ = std::min(meeting_.wide_end(), run_end_);
    stretch_ = {meeting_.begin(), std::min(meeting_.odd_end(), until_)};
    skipped_ = stretch_.begin - tooth_;
    const uint64_t wide = meeting_.wide_local() + tooth_ - meeting_.wide_begin();
    source_local_ = wide_is_source_ ? wide : meeting_.odd_local();
    target_local_ = wide_is_source_ ? meeting_.odd_local() : wide;
    return true;
  }

  Span64 stretch_;
  uint64_t tooth_ = 0;    // where the tooth of the stretch begins
  uint64_t skipped_ = 0;  // of it, before the stretch
  uint64_t until_ = 0;    // where teeth stop following one another
  uint64_t run_end_ = 0;
  uint64_t step_ = 0;  // 0: stretches are whole runs
  uint64_t width_ = 0;
  // As of the beginning of the tooth, which may lie before the first own entry: modulo 2^64.
  uint64_t source_local_ = 0;
  uint64_t target_local_ = 0;
  uint64_t source_step_ = 0;
  uint64_t target_step_ = 0;
  CombMeeting meeting_;
  bool two_combs_ = false;
  bool wide_is_source_ = false;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_STRETCH_WALK_H_
