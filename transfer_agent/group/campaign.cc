#include "transfer_agent/group/campaign.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "transfer_agent/group/quorum.h"

namespace baton::group {

Campaign::Campaign(SeatIndex seats, SeatIndex self, Life life, const HeldLog* own)
    : seats_(seats), self_(self), life_(life), own_(own) {}

std::vector<Life> Campaign::Lives() const {
  if (own_->formed()) return own_->lives();
  for (const auto& [seat, promise] : promises_) {
    if (!promise.lives.empty()) return promise.lives;
  }
  return {};
}

bool Campaign::Counts(SeatIndex seat, const std::vector<Life>& lives) const {
  if (seat == self_) return lives[seat] == life_;
  auto it = promises_.find(seat);
  return it != promises_.end() && lives[seat] == it->second.life;
}

bool Campaign::Won() const {
  const std::vector<Life> lives = Lives();
  if (lives.empty()) return promises_.size() + 1 == seats_;
  if (lives.size() != seats_ || lives[self_] != life_) return false;
  return Decides(seats_, [&](SeatIndex seat) { return Counts(seat, lives); });
}

bool Campaign::LeftBehind() const {
  return std::any_of(promises_.begin(), promises_.end(),
                     [&](const auto& it) { return it.second.first > own_->held(); });
}

uint64_t Campaign::EndAt(SeatIndex seat) const {
  auto it = promises_.find(seat);
  return it == promises_.end() ? 0 : it->second.end;
}

void Campaign::Adopt(HeldLog* log) const {
  std::vector<Life> lives = Lives();
  if (lives.empty()) {
    lives.resize(seats_, life_);
    for (const auto& [seat, promise] : promises_) lives[seat] = promise.life;
  }
  const Promise* best = nullptr;
  auto best_rank = std::make_pair(log->log_term(), log->held());
  uint64_t end = log->end();
  for (const auto& [seat, promise] : promises_) {
    if (!Counts(seat, lives)) continue;
    end = std::max(end, promise.end);
    auto rank = std::make_pair(promise.log_term, promise.first + promise.entries.size());
    if (rank <= best_rank) continue;
    best_rank = rank;
    best = &promise;
  }
  log->Form(std::move(lives));
  if (best != nullptr) {
    log->Replace(log->promised(), best->first, best->entries);
  } else {
    log->Replace(log->promised(), log->end(), log->From(log->end()));
  }
  log->Settle(end);
}

}  // namespace baton::group
