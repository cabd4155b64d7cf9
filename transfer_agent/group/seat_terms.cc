// Who leads: terms, campaigns, what is heard of other seats.
#include <utility>

#include "transfer_agent/group/seat.h"

namespace baton::group {

bool Seat::Stranger(SeatIndex seat) const {
  return log_.formed() && reach_[seat].up && log_.lives()[seat] != reach_[seat].life;
}

bool Seat::Leads(SeatIndex from, Term term) const {
  return leader_ != nullptr && term == log_.promised() && !Stranger(from);
}

void Seat::Follow(Term term) {
  if (term <= log_.promised()) return;
  log_.PromiseTo(term);
  machine_.Advance(SeatEvent::kOutranked);
  campaign_.reset();
  leader_.reset();
  in_step_ = false;
}

void Seat::Stand() {
  log_.PromiseTo({log_.promised().round + 1, options_.self});
  machine_.Advance(SeatEvent::kCampaign);
  in_step_ = false;
  campaign_ = std::make_unique<Campaign>(options_.seats, options_.self, options_.life, &log_);
  for (SeatIndex seat = 0; seat < options_.seats; ++seat) {
    if (seat != options_.self && reach_[seat].up) {
      out_.push_back({seat, Prepare{log_.promised(), log_.end()}});
    }
  }
  Judge();
}

void Seat::Judge() {
  if (campaign_->LeftBehind()) outside_ = true;
  if (!outside_ && campaign_->Won()) TakeOffice();
}

void Seat::TakeOffice() {
  campaign_->Adopt(&log_);
  machine_.Advance(SeatEvent::kElected);
  leader_ = std::make_unique<Leader>(options_.seats, options_.self, options_.kept, &log_);
  for (SeatIndex seat = 0; seat < options_.seats; ++seat) {
    reach_[seat].silent = false;
    if (seat == options_.self || !reach_[seat].up) continue;
    leader_->Connect(seat, Stranger(seat) ? 0 : campaign_->EndAt(seat));
    MeetAsLeader(seat);
  }
  campaign_.reset();
  leader_->OnOutcomes(options_.self, Everything());
}

void Seat::MeetAsLeader(SeatIndex seat) {
  if (Stranger(seat)) leader_->OnEngineGone(seat);
}

bool Seat::HasLeader(TimePoint now) const {
  const Term term = log_.promised();
  if (term.none() || term.seat == options_.self || Stranger(term.seat)) return false;
  const Reach& reach = reach_[term.seat];
  return reach.up || now - reach.since < options_.patience;
}

bool Seat::IsNext(TimePoint now) const {
  // Who led, or wanted to, and does not any more: the others still wait for it.
  if (!log_.promised().none() && log_.promised().seat == options_.self) return true;
  for (SeatIndex seat = 0; seat < options_.self; ++seat) {
    const Reach& reach = reach_[seat];
    if (Stranger(seat)) continue;
    if (reach.up || now - reach.since < options_.patience) return false;
  }
  return true;
}

void Seat::Up(SeatIndex seat, Life life) {
  Reach& reach = reach_[seat];
  reach.up = true;
  reach.life = life;
  if (leader_ != nullptr) {
    if (std::exchange(reach.silent, false)) leader_->OnBack(seat);
    leader_->Connect(seat, 0);
    MeetAsLeader(seat);
  } else if (campaign_ != nullptr) {
    out_.push_back({seat, Prepare{log_.promised(), log_.end()}});
  }
}

void Seat::Down(SeatIndex seat, TimePoint now) {
  reach_[seat].up = false;
  reach_[seat].since = now;
  if (log_.promised().seat == seat) in_step_ = false;
  if (leader_ != nullptr) leader_->Disconnect(seat);
  // What was to be said over the connection that is lost.
  std::erase_if(out_, [seat](const Outgoing& out) { return out.to == seat; });
}

void Seat::Tick(TimePoint now) {
  if (leader_ == nullptr) {
    const bool idle = machine_.state() == SeatState::kFollowing;
    if (idle && !outside_ && !HasLeader(now) && IsNext(now)) Stand();
    return;
  }
  for (SeatIndex seat = 0; seat < options_.seats; ++seat) {
    Reach& reach = reach_[seat];
    if (reach.up || reach.silent || now - reach.since < options_.lease) continue;
    reach.silent = true;
    leader_->OnSilent(seat);
  }
}

}  // namespace baton::group
