#include "tests/demo/router/tally.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace baton::demo {
namespace {

constexpr size_t kFaultsKept = 8;

std::string RankName(const std::string& server, const v1::Rank& rank) {
  return ToString(RankRef{server, {rank.dp(), rank.pp(), rank.cp(), rank.tp()}});
}

// Length of the union of intervals.
double UnionSeconds(std::vector<std::pair<uint64_t, uint64_t>> intervals) {
  std::sort(intervals.begin(), intervals.end());
  uint64_t sum = 0, end = 0;
  for (const auto& [from, to] : intervals) {
    if (to <= end) continue;
    sum += to - std::max(from, end);
    end = to;
  }
  return sum * 1e-9;
}

}  // namespace

uint64_t RunResult::HandoffNs(double quantile) const {
  if (handoff_ns.empty()) return 0;
  size_t index = static_cast<size_t>(quantile * handoff_ns.size());
  return handoff_ns[std::min(index, handoff_ns.size() - 1)];
}

std::string Describe(const v1::Mismatch& mismatch, const std::string& rank) {
  std::string what =
      mismatch.canary()
          ? "no room's canary"
          : absl::StrCat("room ", ToString(RoomKey{mismatch.room_id(), mismatch.room_nonce()}));
  return absl::StrFormat(
      "%s layer %d %s page %d byte %d (token %d, head %d): found 0x%02x, must be 0x%02x, at %s",
      what, mismatch.layer(), mismatch.kind(), mismatch.page(), mismatch.byte(), mismatch.token(),
      mismatch.head(), mismatch.found(), mismatch.expected(), rank);
}

void Tally::Opened(const RoomKey& room, uint64_t tokens, uint32_t legs) {
  OpenRoom& open = open_[room];
  open.tokens = tokens;
  open.legs_left = legs;
  tokens_open_ += tokens;
}

void Tally::AddFault(const std::string& fault) {
  if (result_.faults.size() < kFaultsKept) result_.faults.push_back(fault);
}

bool Tally::Reported(const v1::RoomReport& report, const std::string& server) {
  const RoomKey key{report.id(), report.nonce()};
  auto found = open_.find(key);
  if (found == open_.end()) {
    AddFault(absl::StrCat("a report of room ", ToString(key), ", which is not open"));
    return false;
  }
  OpenRoom& room = found->second;
  const std::string rank = RankName(server, report.rank());
  for (const v1::Mismatch& mismatch : report.mismatches()) AddFault(Describe(mismatch, rank));
  if (!report.error().empty()) {
    room.failed = true;
    AddFault(absl::StrCat("room ", ToString(key), " failed at ", rank, ": ", report.error()));
  }
  result_.pages += report.pages();
  result_.pages_bad += report.pages_bad();
  if (report.role() == v1::ROLE_DECODE) {
    room.bytes += report.bytes();
    room.landed_ns = std::max<uint64_t>(room.landed_ns, report.done_ns());
  } else if (report.last_send_ns() != 0) {
    room.first_send_ns = std::min<uint64_t>(room.first_send_ns, report.first_send_ns());
    room.last_send_ns = std::max<uint64_t>(room.last_send_ns, report.last_send_ns());
  }
  if (--room.legs_left > 0) return true;
  Settle(room);
  open_.erase(found);
  return true;
}

void Tally::Settle(const OpenRoom& room) {
  tokens_open_ -= room.tokens;
  ++result_.rooms;
  if (room.failed) {
    ++result_.failed;
    return;
  }
  result_.bytes += room.bytes;
  if (room.last_send_ns == 0) return;
  // Source and target may be on two hosts, whose clocks differ: then no time is less than none.
  moving_.emplace_back(room.first_send_ns, std::max(room.first_send_ns, room.landed_ns));
  result_.handoff_ns.push_back(room.landed_ns - std::min(room.landed_ns, room.last_send_ns));
}

void Tally::Finished(const v1::FinalReport& report, const std::string& server) {
  const std::string rank = RankName(server, report.rank());
  for (const v1::Mismatch& mismatch : report.mismatches()) {
    AddFault(absl::StrCat("after the run: ", Describe(mismatch, rank)));
  }
  result_.pages += report.pages();
  result_.pages_bad += report.pages_bad();
}

void Tally::GiveUp(const std::string& why) {
  for (const auto& [key, room] : open_) {
    AddFault(absl::StrCat("room ", ToString(key), ": ", why, " (", room.legs_left,
                          " ranks have not reported)"));
    ++result_.rooms;
    ++result_.failed;
  }
  open_.clear();
  tokens_open_ = 0;
}

RunResult Tally::Close(double wall_seconds) {
  result_.wall_seconds = wall_seconds;
  result_.busy_seconds = UnionSeconds(moving_);
  std::sort(result_.handoff_ns.begin(), result_.handoff_ns.end());
  return result_;
}

}  // namespace baton::demo
