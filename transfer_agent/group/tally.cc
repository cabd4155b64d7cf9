#include "transfer_agent/group/tally.h"

namespace baton::group {

void Tally::Logged(const Entry& entry, uint64_t index) {
  if (entry.kind == Kind::kOffered) {
    rooms_[entry.room].offered_logged = true;
    return;
  }
  if (entry.kind == Kind::kFailed) {
    rooms_[entry.room].failed_at = index;
    return;
  }
  rooms_.erase(entry.room);
  ended_[entry.room] = index;
  ends_.emplace_back(entry.room, index);
  while (ends_.size() > kept_) {
    auto it = ended_.find(ends_.front().first);
    if (it != ended_.end() && it->second == ends_.front().second) ended_.erase(it);
    ends_.pop_front();
  }
}

std::vector<Entry> Tally::Hear(SeatIndex seat, const Report& report) {
  if (Ended(report.room, report.since)) return {};
  Room& room = rooms_[report.room];
  // The id is used again: nobody waits for the release of its earlier use any more.
  if (room.failed_at.has_value() && report.since > *room.failed_at) room = Room();
  room.since = std::max(room.since, report.since);
  Record(room, seat, report.kind);
  std::optional<Entry> due = Due(report.room, room, seat, report);
  if (!due.has_value()) return {};
  return {*std::move(due)};
}

void Tally::Record(Room& room, SeatIndex seat, Kind kind) {
  switch (kind) {
    case Kind::kOffered:
      room.offered.insert(seat);
      return;
    case Kind::kFinished:
      room.offered.insert(seat);
      room.finished.insert(seat);
      return;
    case Kind::kReleased:
      room.released.insert(seat);
      return;
    case Kind::kFailed:
      return;
  }
}

std::optional<Entry> Tally::Due(const RoomKey& key, const Room& room, SeatIndex seat,
                                const Report& report) const {
  if (!room.failed_at.has_value() && report.kind == Kind::kFailed) {
    return Entry{key, Kind::kFailed, seat, report.cause};
  }
  if (auto absent = DueToAbsence(key, room)) return absent;
  if (room.failed_at.has_value()) return std::nullopt;
  if (room.finished.size() == seats_) return Entry{key, Kind::kFinished, 0, ""};
  if (room.offered.size() == seats_ && !room.offered_logged) {
    return Entry{key, Kind::kOffered, 0, ""};
  }
  return std::nullopt;
}

std::optional<Entry> Tally::DueToAbsence(const RoomKey& key, const Room& room) const {
  if (room.failed_at.has_value()) {
    if (!ReleasedByAll(room)) return std::nullopt;
    return Entry{key, Kind::kReleased, 0, ""};
  }
  for (SeatIndex seat = 0; seat < seats_; ++seat) {
    if (room.finished.contains(seat)) continue;
    if (engine_gone_.contains(seat)) return Entry{key, Kind::kFailed, seat, "its engine has ended"};
    if (silent_.contains(seat)) {
      return Entry{key, Kind::kFailed, seat, "its agent has not been heard for a lease time"};
    }
    if (Lost(room, seat)) return Entry{key, Kind::kFailed, seat, "its agent has started anew"};
  }
  return std::nullopt;
}

bool Tally::Ended(const RoomKey& key, uint64_t since) const {
  auto it = ended_.find(key);
  return it != ended_.end() && since <= it->second;
}

bool Tally::Lost(const Room& room, SeatIndex seat) const {
  auto it = forgot_.find(seat);
  return it != forgot_.end() && room.since <= it->second;
}

bool Tally::LostFailed(const Room& room, SeatIndex seat) const {
  auto it = forgot_.find(seat);
  return it != forgot_.end() && *room.failed_at < it->second;
}

bool Tally::ReleasedByAll(const Room& room) const {
  for (SeatIndex seat = 0; seat < seats_; ++seat) {
    // No write can land where all has landed, where the engine has ended, or through an agent that
    // is gone. Of a silent one nothing is known.
    if (room.released.contains(seat) || room.finished.contains(seat)) continue;
    if (engine_gone_.contains(seat) || LostFailed(room, seat)) continue;
    return false;
  }
  return true;
}

std::vector<Entry> Tally::Sweep() const {
  std::vector<Entry> entries;
  for (const auto& [key, room] : rooms_) {
    if (auto due = DueToAbsence(key, room)) entries.push_back(*std::move(due));
  }
  return entries;
}

std::vector<Entry> Tally::EngineGone(SeatIndex seat) {
  engine_gone_.insert(seat);
  return Sweep();
}

std::vector<Entry> Tally::Silent(SeatIndex seat) {
  silent_.insert(seat);
  return Sweep();
}

std::vector<Entry> Tally::Forgot(SeatIndex seat, uint64_t since) {
  forgot_[seat] = since;
  return Sweep();
}

}  // namespace baton::group
