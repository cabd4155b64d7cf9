// Rooms that have ended, for a while: their ids are refused, and who asks late learns the cause.
#ifndef BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_
#define BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/attach/attached_rank.h"

namespace baton::worker {

// Thread-compatible; bounded: the oldest are forgotten first.
class EndedRooms {
 public:
  void Add(attach::AttachmentId rank, const RoomKey& key, absl::Status outcome, TimePoint until) {
    ended_[{rank, key}] = {std::move(outcome), until};
    order_.push_back({rank, key});
    while (order_.size() > kMax) {
      ended_.erase(order_.front());
      order_.pop_front();
    }
  }

  // The outcome (OK: done) of a room that ended and is still remembered.
  std::optional<absl::Status> Find(attach::AttachmentId rank, const RoomKey& key, TimePoint now) {
    auto it = ended_.find({rank, key});
    if (it == ended_.end()) return std::nullopt;
    if (it->second.until > now) return it->second.outcome;
    ended_.erase(it);
    return std::nullopt;
  }

 private:
  static constexpr size_t kMax = 16384;
  using Key = std::pair<attach::AttachmentId, RoomKey>;
  struct Ended {
    absl::Status outcome;
    TimePoint until;
  };
  absl::flat_hash_map<Key, Ended> ended_;
  std::deque<Key> order_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_
