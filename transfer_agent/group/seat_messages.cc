// What a seat does when another one speaks.
#include <algorithm>
#include <utility>

#include "transfer_agent/group/seat.h"

namespace baton::group {

void Seat::Receive(SeatIndex from, Message message) {
  std::visit([&](auto& m) { On(from, std::move(m)); }, message);
}

void Seat::On(SeatIndex from, const Prepare& prepare) {
  if (prepare.term < log_.promised() || Stranger(from)) {
    out_.push_back({from, Stale{log_.promised(), log_.lives()}});
    return;
  }
  Follow(prepare.term);
  Promise promise;
  promise.term = prepare.term;
  promise.life = options_.life;
  promise.lives = log_.lives();
  promise.log_term = log_.log_term();
  promise.end = log_.end();
  promise.first = std::max(std::min(prepare.end, log_.held()), log_.base());
  promise.entries = log_.From(promise.first);
  out_.push_back({from, std::move(promise)});
}

void Seat::On(SeatIndex from, Promise promise) {
  if (campaign_ == nullptr || promise.term != log_.promised()) return;
  campaign_->Add(from, std::move(promise));
  Judge();
}

void Seat::On(SeatIndex from, Append append) {
  if (append.term < log_.promised() || outside_) {
    out_.push_back({from, Stale{log_.promised(), log_.lives()}});
    return;
  }
  if (append.whole && append.lives.size() != options_.seats) return;
  if (append.whole && (append.lives[options_.self] != options_.life || append.first > log_.end())) {
    outside_ = true;
    return;
  }
  Follow(append.term);
  if (append.whole) {
    log_.Form(std::move(append.lives));
    log_.Replace(append.term, append.first, std::move(append.entries));
  } else {
    if (!in_step_ || append.first != log_.held()) return;
    for (Entry& entry : append.entries) log_.Push(std::move(entry));
  }
  log_.Settle(std::min(append.end, log_.held()));
  out_.push_back({from, Ack{append.term, log_.held(), log_.end()}});
  ShowSettled();
  if (append.whole && !std::exchange(in_step_, true)) out_.push_back({from, Everything()});
}

void Seat::On(SeatIndex from, const Ack& ack) {
  if (Leads(from, ack.term)) leader_->OnAck(from, ack);
}

void Seat::On(SeatIndex from, const Outcomes& outcomes) {
  if (Leads(from, outcomes.term)) leader_->OnOutcomes(from, outcomes);
}

void Seat::On(SeatIndex from, const Stale& stale) {
  if (Stranger(from)) return;
  if (stale.lives.size() == options_.seats && stale.lives[options_.self] != options_.life) {
    outside_ = true;
  }
  Follow(stale.promised);
}

}  // namespace baton::group
