#include "tests/simulation/checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton::sim {

using shm_abi::RoomState;

namespace {

const char* NameOf(LegState state) {
  constexpr const char* kNames[] = {"planned", "open", "offered", "done", "failed", "lost"};
  return kNames[static_cast<int>(state)];
}

}  // namespace

bool Feeds(const Leg& source, const Leg& target) {
  auto overlap = [](uint32_t i, uint32_t n, uint32_t j, uint32_t m) {
    return i * m < (j + 1) * n && j * n < (i + 1) * m;
  };
  const RankCoord& s = source.rank.coord;
  const RankCoord& t = target.rank.coord;
  return overlap(s.tp, source.sizes.tp, t.tp, target.sizes.tp) &&
         overlap(s.pp, source.sizes.pp, t.pp, target.sizes.pp);
}

void Checker::Violated(const std::string& what) {
  world_->Trace("VIOLATION ", what);
  if (violation_.empty()) violation_ = what;
}

std::string Checker::Describe(const Leg& leg) const {
  return absl::StrCat("request ", leg.request->number, " (room ", ToString(leg.request->key),
                      ", quirk ", static_cast<int>(leg.request->quirk),
                      leg.request->disturbed ? ", disturbed" : "", ") at ", ToString(leg.rank),
                      " is ", NameOf(leg.state), leg.released ? ", released" : "",
                      leg.cause.empty() ? "" : ": ", leg.cause);
}

void Checker::OnOpened(Leg* leg) {
  leg->state = LegState::kOpen;
  leg->opened = world_->now();
  leg->deadline = world_->now() + std::chrono::milliseconds(leg->request->time_left_ms);
  world_->Trace("open ", Describe(*leg));
  CheckEnded(leg, leg->opened, leg->deadline - leg->opened + kDeadlineSlack, "BothSidesLearn");
}

// Terminal and released by `since` + `within`; an agent that was stopped has that long from its
// waking on.
void Checker::CheckEnded(Leg* leg, TimePoint since, Duration within, const char* property) {
  world_->At(since + within + leg->fence,
             [this, leg, since, within, property] { JudgeEnded(leg, since, within, property); });
}

void Checker::JudgeEnded(Leg* leg, TimePoint since, Duration within, const char* property) {
  if (leg->gone() || (leg->terminal() && leg->released)) return;
  const std::optional<TimePoint> woke = awake_(*leg);
  if (!woke.has_value()) return CheckEnded(leg, world_->now(), within, property);
  if (*woke > since) return CheckEnded(leg, *woke, within, property);
  const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(world_->now() - since);
  Violated(absl::StrCat(property, ": ", Describe(*leg), " still, after ", late.count(), " ms"));
}

void Checker::OnLastSent(Leg* leg) {
  leg->last_sent = true;
  on_last_sent_(*leg);
  const Request& request = *leg->request;
  const bool all = std::all_of(request.legs.begin(), request.legs.end(), [](const auto& one) {
    return one->role == Role::kDecode ? one->state != LegState::kPlanned : one->last_sent;
  });
  // When a target opens last, its own deadline judges it.
  if (!all) return;
  leg->request->all_sent = world_->now();
  world_->After(kCleanTime, [this, request = leg->request] { CheckClean(request); });
}

void Checker::CheckClean(const Request* request) {
  if (before_judging_) before_judging_();
  if (!request->clean()) return CheckEndedWhole(request);
  ++clean_rooms;
  figures.beside_restart += registry_lost_(request->begins);
  for (const auto& leg : request->legs) {
    if (leg->state == LegState::kDone) continue;
    return Violated(absl::StrCat("NoBystanders: nobody disturbed ", Describe(*leg)));
  }
}

void Checker::OnQuarantined(Leg* leg) {
  ++quarantined;
  leg->request->Hurt();
  world_->Trace("quarantined ", Describe(*leg));
}

void Checker::OnFlipped(Holder holder) {
  if (holder == 0) return;  // a window on nobody's row: it will be complained of
  ++flipped;
  Leg* leg = holders_[holder - 1];
  world_->Trace("a byte was flipped on its way to ", Describe(*leg));
  // Its room fails, as by a lost connection.
  leg->request->disturbed = true;
  leg->request->broken = std::max(leg->request->broken, world_->now());
}

void Checker::CheckEndedWhole(const Request* request) {
  if (request->hurt || request->quirk != Quirk::kNone) return;
  const TimePoint judged =
      std::max(request->broken, request->all_sent) + (request->rail_lost ? kRailTime : kCleanTime);
  if (judged > world_->now()) return world_->At(judged, [this, request] { CheckClean(request); });
  if (request->no_rail) ++without_rail;
  for (const auto& leg : request->legs) {
    if (!leg->gone() && !leg->terminal()) {
      return Violated("BothSidesLearn: connections were lost, and still " + Describe(*leg));
    }
    const bool had_time = leg->deadline > judged && !request->no_rail;
    if (request->moves && had_time && leg->state != LegState::kDone) {
      return Violated("NoBystanders: another way was left, and still " + Describe(*leg));
    }
  }
}

void Checker::OnAborted(Leg* leg) {
  leg->aborted = world_->now();
  CheckEnded(leg, leg->aborted, kAbortTimeOfDead, "Released");
  world_->After(kAbortTime, [this, leg] {
    if (before_judging_) before_judging_();
    if (leg->request->disturbed) return;
    JudgeEnded(leg, leg->aborted, kAbortTime, "Released");
  });
}

void Checker::OnPublished(Leg* leg, shm_abi::RoomWord word, const absl::Status& cause,
                          const Pool& pool) {
  const Request& request = *leg->request;
  world_->Fold(static_cast<uint64_t>(word.state) * 2 + word.released);
  const LegState before = leg->state;
  if (leg->gone()) return;
  if (leg->released || (leg->terminal() && word.state != RoomState::kFailed)) {
    return Violated(absl::StrCat("OneEnd: the table says ", static_cast<int>(word.state),
                                 " again for ", Describe(*leg)));
  }
  switch (word.state) {
    case RoomState::kFree:
    case RoomState::kOpen:
      return;
    case RoomState::kOffered:
      leg->state = LegState::kOffered;
      break;
    case RoomState::kDone:
      leg->state = LegState::kDone;
      ++rooms_done;
      break;
    case RoomState::kFailed:
      leg->state = LegState::kFailed;
      leg->cause = std::string(cause.message());
      if (before != LegState::kFailed) ++rooms_failed;
      if (before < LegState::kDone) CheckMayFail(*leg);
      if (cause.ok()) Violated("BothSidesLearn: failed without a cause: " + Describe(*leg));
      break;
  }
  leg->released = word.released;
  if (leg->terminal() && before < LegState::kDone) NoteEnd(leg);
  if (word.released) leg->released_at = world_->now();
  world_->Trace("table ", Describe(*leg));
  if (word.released && leg->aborted != TimePoint()) NoteAbortTime(*leg);
  if (before == LegState::kOffered || before == LegState::kOpen) CheckOthersLearn(leg);
  if (word.state != RoomState::kDone || request.mixed) return;
  if (leg->role == Role::kPrefill) return CheckSourceDone(*leg);
  const std::string differs =
      pool.Differs(request.salt, leg->pages, leg->row, request.prefix, request.total);
  if (!differs.empty()) Violated(absl::StrCat("LandedMeansAll: ", differs, ": ", Describe(*leg)));
}

// Also before its last chunk, and at the instant it happens.
void Checker::CheckMayFail(const Leg& leg) {
  if (!leg.request->clean()) return;
  if (before_judging_) before_judging_();
  if (!leg.request->clean()) return;
  for (const auto& one : leg.request->legs) {
    if (one->opened != TimePoint() && one->deadline <= world_->now()) return;
  }
  Violated("NoBystanders: nobody disturbed " + Describe(leg));
}

void Checker::NoteEnd(Leg* leg) {
  leg->ended = world_->now();
  const std::optional<TimePoint> awake = awake_(*leg);
  if (leg->partner_died == TimePoint() || !awake.has_value() || *awake >= leg->partner_died) return;
  figures.ended.Note(leg->ended - leg->partner_died);
}

// With live peers: what a fault touched is judged by itself.
void Checker::NoteAbortTime(const Leg& leg) {
  if (before_judging_) before_judging_();
  const std::optional<TimePoint> awake = awake_(leg);
  if (!awake.has_value() || *awake >= leg.aborted) return;
  const Duration took = leg.released_at - leg.aborted;
  if (!leg.request->disturbed) return abort_times.push_back(took);
  figures.abort_of_dead.Note(std::max(took - leg.fence, Duration(0)));
}

// A source is done when its targets have everything; it has targets unless nothing is to be moved.
void Checker::CheckSourceDone(const Leg& source) {
  const Request& request = *source.request;
  if (request.prefix == request.total) return;
  for (const auto& leg : request.legs) {
    if (leg->role == Role::kPrefill || leg->gone() || leg->state == LegState::kDone) continue;
    if (!Feeds(source, *leg)) continue;
    Violated(absl::StrCat("LandedMeansAll: ", Describe(source), " before ", Describe(*leg)));
  }
}

// A leg that failed while nothing disturbed its request takes the others along.
void Checker::CheckOthersLearn(const Leg* failed) {
  const Request* request = failed->request;
  if (failed->state != LegState::kFailed || request->quirk != Quirk::kAborts) return;
  const TimePoint since = world_->now();
  world_->After(kFailSlack, [this, request, failed, since] {
    if (before_judging_) before_judging_();
    if (request->disturbed) return;
    for (const auto& leg : request->legs) {
      const bool waits = leg->state == LegState::kOffered || leg->state == LegState::kOpen;
      if (!waits || leg->role == failed->role || !Feeds(*failed, *leg)) continue;
      return Violated("BothSidesLearn: a second after the abort " + Describe(*leg));
    }
  });
}

void Checker::OnAgentLost(Leg* leg) {
  if (leg->closed) return;
  leg->state = LegState::kLost;
  leg->request->Hurt();
}

void Checker::OnEngineDied(Leg* leg) {
  leg->state = LegState::kLost;
  leg->request->Hurt();
}

void Checker::OnDeath(const std::vector<Leg*>& survivors) {
  for (Leg* leg : survivors) {
    if (leg->state != LegState::kOffered) continue;
    if (leg->partner_died == TimePoint()) leg->partner_died = world_->now();
    CheckEnded(leg, world_->now(), kSilence + kNoticeSlack + kFailSlack, "KillAnything");
  }
}

void Checker::CheckAllOver(const std::vector<std::unique_ptr<Request>>& requests) {
  for (const auto& request : requests) {
    for (const auto& leg : request->legs) {
      if (leg->state == LegState::kPlanned || leg->gone()) continue;
      if (leg->terminal() && leg->released) continue;
      return Violated("BothSidesLearn: at the end " + Describe(*leg));
    }
  }
}

void Checker::CheckProbe(const Request& request) {
  for (const auto& leg : request.legs) {
    if (leg->state == LegState::kDone) continue;
    return Violated("KillAnything: all is mended, and still " + Describe(*leg));
  }
}

}  // namespace baton::sim
