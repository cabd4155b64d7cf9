#include "tests/chaos/ledger.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace baton::chaos {
namespace {

std::string Text(const RoomKey& room) { return absl::StrCat("room ", room.id, "#", room.nonce); }

// What an engine says of a room that Baton let hang.
bool IsStuck(const std::string& error) {
  return absl::StrContains(error, "still not terminal") ||
         absl::StrContains(error, "never released");
}

}  // namespace

void Ledger::Opened(const RoomKey& room, Side prefill, Side decode, bool calm, TimePoint now,
                    TimePoint deadline) {
  Room& opened = rooms_[room];
  opened.pods[0] = prefill.pod;
  opened.pods[1] = decode.pod;
  opened.legs[0] = prefill.legs;
  opened.legs[1] = decode.legs;
  opened.calm = calm;
  opened.opened = now;
  opened.due = deadline + kGrace;
  ++counts_.rooms;
}

size_t Ledger::open(uint32_t prefill_pod, uint32_t decode_pod) const {
  size_t count = 0;
  for (const auto& [key, room] : rooms_) {
    count += room.pods[0] == prefill_pod && room.pods[1] == decode_pod;
  }
  return count;
}

void Ledger::Disturbed(uint32_t pod) {
  for (auto& [key, room] : rooms_) {
    if (room.pods[0] == pod || room.pods[1] == pod) room.calm = false;
  }
}

void Ledger::Draining(uint32_t pod, TimePoint now) {
  for (auto& [key, room] : rooms_) {
    if (room.pods[0] != pod && room.pods[1] != pod) continue;
    if (room.opened > now - kArrival) room.calm = false;
  }
}

void Ledger::Gone(uint32_t pod) {
  Disturbed(pod);
  for (auto it = rooms_.begin(); it != rooms_.end();) {
    auto here = it++;
    for (int side = 0; side < 2; ++side) {
      if (here->second.pods[side] != pod || here->second.legs[side] == 0) continue;
      here->second.legs[side] = 0;
      here->second.gone = true;
    }
    CloseIfSettled(here);
  }
}

void Ledger::Delayed(uint32_t pod, Duration time) {
  for (auto& [key, room] : rooms_) {
    if (room.pods[0] == pod || room.pods[1] == pod) room.due += time;
  }
}

void Ledger::Reported(uint32_t pod, const demo::v1::RoomReport& report) {
  const RoomKey key{report.id(), report.nonce()};
  counts_.pages += report.pages();
  if (report.pages_bad() > 0) {
    Violation(absl::StrCat(
        Text(key), ": ", report.pages_bad(), " wrong pages at pod ", pod, ": ",
        report.mismatches().empty() ? std::string() : report.mismatches(0).ShortDebugString()));
  }
  if (IsStuck(report.error())) {
    Violation(absl::StrCat(Text(key), " at pod ", pod, ": ", report.error()));
  }
  auto it = rooms_.find(key);
  if (it == rooms_.end()) return;
  Room& room = it->second;
  const int side = room.pods[0] == pod ? 0 : 1;
  if (room.legs[side] == 0) return;
  --room.legs[side];
  if (!report.error().empty()) {
    room.failed = true;
    if (room.calm) {
      Violation(absl::StrCat(Text(key), " had no fault near it and failed at pod ", pod, ": ",
                             report.error()));
    }
  }
  CloseIfSettled(it);
}

void Ledger::CloseIfSettled(Rooms::iterator it) {
  const Room& room = it->second;
  if (room.legs[0] + room.legs[1] > 0) return;
  if (room.failed || room.gone) {
    ++counts_.failed;
    counts_.lost += room.calm ? 1 : 0;
  } else {
    ++counts_.done;
    counts_.calm += room.calm ? 1 : 0;
    succeeded_.insert(it->first);
  }
  rooms_.erase(it);
}

void Ledger::Finished(uint32_t pod, const demo::v1::FinalReport& report) {
  if (report.pages_bad() == 0 && report.error().empty()) return;
  Violation(absl::StrCat(
      "pod ", pod, ": ", report.pages_bad(), " pages written to that no room had: ", report.error(),
      " ", report.mismatches().empty() ? std::string() : report.mismatches(0).ShortDebugString()));
}

void Ledger::CheckOverdue(TimePoint now) {
  for (auto it = rooms_.begin(); it != rooms_.end();) {
    auto here = it++;
    if (now < here->second.due) continue;
    for (int side = 0; side < 2; ++side) {
      if (here->second.legs[side] == 0) continue;
      Violation(absl::StrCat(Text(here->first), ": pod ", here->second.pods[side], " owes ",
                             here->second.legs[side], " reports long after the deadline"));
    }
    rooms_.erase(here);
  }
}

}  // namespace baton::chaos
