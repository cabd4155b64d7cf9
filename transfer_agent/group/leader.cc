#include "transfer_agent/group/leader.h"

#include <algorithm>
#include <utility>

#include "transfer_agent/group/quorum.h"

namespace baton::group {

Leader::Leader(SeatIndex seats, SeatIndex self, uint64_t kept, HeldLog* log)
    : seats_(seats), self_(self), log_(log), tally_(seats, kept), followers_(seats) {
  for (uint64_t index = log->base(); index < log->held(); ++index) {
    tally_.Logged(log->at(index), index);
  }
  Settle();
}

void Leader::Connect(SeatIndex seat, uint64_t settled) {
  followers_[seat].settled = std::max(followers_[seat].settled, settled);
  followers_[seat].connected = true;
  followers_[seat].begun = false;
}

void Leader::OnAck(SeatIndex seat, const Ack& ack) {
  Follower& follower = followers_[seat];
  follower.acked = std::max(follower.acked, std::min(ack.held, log_->held()));
  follower.settled = std::max(follower.settled, std::min(ack.end, log_->end()));
  Settle();
}

void Leader::OnOutcomes(SeatIndex seat, const Outcomes& outcomes) {
  for (const Report& report : outcomes.reports) Make(tally_.Hear(seat, report));
  if (outcomes.forgot.has_value()) Make(tally_.Forgot(seat, *outcomes.forgot));
  if (outcomes.engine_gone) Make(tally_.EngineGone(seat));
}

void Leader::Make(std::vector<Entry> entries) {
  for (Entry& entry : entries) {
    const uint64_t index = log_->held();
    const RoomKey room = entry.room;
    const bool failed = entry.kind == Kind::kFailed;
    tally_.Logged(entry, index);
    log_->Push(std::move(entry));
    // Said once more it brings the release, where that is due by now.
    if (failed) Make(tally_.Hear(self_, {room, Kind::kFailed, index, ""}));
  }
  Settle();
}

void Leader::Settle() {
  followers_[self_].acked = log_->held();
  uint64_t settled = log_->end();
  for (const Follower& bound : followers_) {
    auto holds = [&](SeatIndex seat) { return followers_[seat].acked >= bound.acked; };
    if (bound.acked > settled && Decides(seats_, holds)) settled = bound.acked;
  }
  log_->Settle(settled);
}

Append Leader::For(Follower& follower) const {
  Append append;
  append.term = log_->promised();
  append.whole = !follower.begun;
  if (append.whole) {
    append.lives = log_->lives();
    follower.next = std::max(log_->base(), follower.settled);
  }
  append.first = follower.next;
  append.entries = log_->From(follower.next);
  append.end = log_->end();
  return append;
}

void Leader::Flush(std::vector<Outgoing>* out) {
  for (SeatIndex seat = 0; seat < seats_; ++seat) {
    Follower& follower = followers_[seat];
    if (seat == self_ || !follower.connected) continue;
    if (follower.begun && follower.next < log_->base()) follower.begun = false;
    const bool news = follower.next < log_->held() || follower.told_end < log_->end();
    if (follower.begun && !news) continue;
    out->push_back({seat, For(follower)});
    follower.begun = true;
    follower.next = log_->held();
    follower.told_end = log_->end();
  }
}

}  // namespace baton::group
