#include "planner/stretch_walk.h"

namespace baton::planner {

StretchWalk::StretchWalk(const SharedEntries& shared, uint64_t from)
    : stretch_(shared.StretchFrom(from)) {
  if (stretch_.empty()) {
    run_end_ = kNoEntry;
    return;
  }
  const uint64_t at = stretch_.begin;
  run_end_ = shared.RunEnd(at);
  until_ = run_end_;
  source_local_ = shared.source().Local(at);
  target_local_ = shared.target().Local(at);
  tooth_ = at;
  step_ = shared.step();
  if (step_ == 0) return;
  skipped_ = shared.IntoTooth(at);
  tooth_ -= skipped_;
  source_local_ -= skipped_;
  target_local_ -= skipped_;
  width_ = shared.tooth();
  until_ = shared.Until(at);
  source_step_ = shared.source_step();
  target_step_ = shared.target_step();
  two_combs_ = shared.two_combs();
  if (!two_combs_) return;
  meeting_ = shared.MeetingAt(at);
  wide_is_source_ = shared.wide_is_source();
}

}  // namespace baton::planner
