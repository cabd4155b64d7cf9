// The last rooms that ended on a worker's ranks, with the time of each stage: for operators who ask
// why a request was slow, or failed, after it is over.
#ifndef BATON_TRANSFER_AGENT_WORKER_ROOM_HISTORY_H_
#define BATON_TRANSFER_AGENT_WORKER_ROOM_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/room/stages.h"

namespace baton::worker {

// What one other rank had to do with the room.
struct LegRecord {
  RankRef rank;
  absl::string_view transport;  // static
  uint64_t bytes = 0;
  uint64_t bytes_expected = 0;
  bool sent = false;
  bool done = false;
};

struct RoomRecord {
  RoomKey key;
  RankRef rank;
  Role role = Role::kPrefill;
  absl::string_view state;  // static
  absl::Status cause;
  uint64_t bytes = 0;
  room::StageTimes stages;
  std::vector<LegRecord> legs;  // of a room that went well: none, to keep the record small
  uint32_t leg_count = 0;
};

// Thread-compatible. Bounded; those that failed have a place of their own, so that a flood of good
// rooms does not push them out.
class RoomHistory {
 public:
  static constexpr size_t kDoneMax = 1024;
  static constexpr size_t kFailedMax = 256;
  static constexpr size_t kLegsMax = 64;

  void Add(RoomRecord record) {
    const bool failed = !record.cause.ok();
    std::deque<RoomRecord>& rooms = failed ? failed_ : done_;
    rooms.push_back(std::move(record));
    if (rooms.size() > (failed ? kFailedMax : kDoneMax)) rooms.pop_front();
  }

  // Oldest first, those that failed before those that did not.
  template <typename Fn>
  void ForEach(Fn&& fn) const {
    for (const RoomRecord& record : failed_) fn(record);
    for (const RoomRecord& record : done_) fn(record);
  }

 private:
  std::deque<RoomRecord> done_;
  std::deque<RoomRecord> failed_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ROOM_HISTORY_H_
