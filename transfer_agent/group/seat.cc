#include "transfer_agent/group/seat.h"

#include <algorithm>
#include <utility>

namespace baton::group {

Seat::Seat(const SeatOptions& options, HeldLog log, TimePoint now)
    : options_(options), log_(std::move(log)), reach_(options.seats) {
  for (Reach& reach : reach_) reach.since = now;
  reach_[options_.self].up = true;
  reach_[options_.self].life = options_.life;
  if (options_.returns) forgot_ = log_.end();
  shown_ = log_.end();
}

bool Seat::Open(const RoomKey& room, uint64_t applied) {
  for (uint64_t index = std::max(applied, log_.base()); index < shown_; ++index) {
    if (log_.at(index).room == room && log_.at(index).kind == Kind::kFailed) return false;
  }
  failed_unopened_.erase(room);
  rooms_[room] = {applied, {}};
  return true;
}

void Seat::Tell(const RoomKey& room, Kind kind, std::string cause) {
  auto it = rooms_.find(room);
  if (it == rooms_.end()) return;
  it->second.told.push_back({room, kind, it->second.since, std::move(cause)});
  Say(it->second.told.back());
}

void Seat::EngineGone() {
  engine_gone_ = true;
  Outcomes gone{log_.promised(), {}, true, std::nullopt};
  if (leader_ != nullptr) {
    leader_->OnOutcomes(options_.self, gone);
  } else if (in_step_) {
    out_.push_back({log_.promised().seat, std::move(gone)});
  }
}

void Seat::Say(const Report& report) {
  Outcomes outcomes{log_.promised(), {report}, false, std::nullopt};
  if (leader_ != nullptr) {
    leader_->OnOutcomes(options_.self, outcomes);
  } else if (in_step_) {
    out_.push_back({log_.promised().seat, std::move(outcomes)});
  }
}

Outcomes Seat::Everything() const {
  Outcomes all{log_.promised(), {}, engine_gone_, forgot_};
  for (const auto& [key, room] : rooms_) {
    all.reports.insert(all.reports.end(), room.told.begin(), room.told.end());
  }
  for (const auto& [key, index] : failed_unopened_) {
    all.reports.push_back({key, Kind::kReleased, index, ""});
  }
  return all;
}

// What is settled may be answered by this very rank, and a leader's answer may settle more.
void Seat::ShowSettled() {
  while (shown_ < log_.end()) {
    shown_ = std::max(shown_, log_.base());
    const uint64_t index = shown_++;
    const Entry entry = log_.at(index);
    Shown(entry, index);
  }
}

void Seat::Shown(const Entry& entry, uint64_t index) {
  auto open = rooms_.find(entry.room);
  const bool ours = open != rooms_.end() && open->second.since <= index;
  switch (entry.kind) {
    case Kind::kOffered:
      return;
    case Kind::kFailed:
      if (ours) return;
      // It was not opened here, and will not be: there is nothing to release.
      failed_unopened_[entry.room] = index;
      Say({entry.room, Kind::kReleased, index, ""});
      return;
    case Kind::kFinished:
    case Kind::kReleased:
      if (ours) rooms_.erase(open);
      failed_unopened_.erase(entry.room);
      return;
  }
}

std::vector<Outgoing> Seat::TakeOutgoing() {
  ShowSettled();
  if (leader_ != nullptr) leader_->Flush(&out_);
  return std::exchange(out_, {});
}

}  // namespace baton::group
