// Deadlines of rooms, earliest first. Entries of rooms that ended are skipped by whoever pops them.
#ifndef BATON_TRANSFER_AGENT_WORKER_DEADLINE_QUEUE_H_
#define BATON_TRANSFER_AGENT_WORKER_DEADLINE_QUEUE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace baton::worker {

// Number of a room in its worker; never used again.
using RoomSerial = uint64_t;

// Thread-compatible.
class DeadlineQueue {
 public:
  void Add(TimePoint when, RoomSerial room) { queue_.emplace(when, room); }

  // A room whose deadline has passed, once.
  std::optional<RoomSerial> PopDue(TimePoint now) {
    if (queue_.empty() || queue_.top().first > now) return std::nullopt;
    RoomSerial room = queue_.top().second;
    queue_.pop();
    return room;
  }

  std::optional<TimePoint> Next() const {
    if (queue_.empty()) return std::nullopt;
    return queue_.top().first;
  }

 private:
  using Entry = std::pair<TimePoint, RoomSerial>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> queue_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_DEADLINE_QUEUE_H_
