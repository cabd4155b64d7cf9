// Rooms that have ended, for a while: who asks late learns the cause, and what is said of them late
// is not taken for a later use of their id.
#ifndef BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_
#define BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/attach/attached_rank.h"
#include "transfer_agent/room/room_uses.h"

namespace baton::worker {

// Thread-compatible; bounded: the oldest are forgotten first.
class EndedRooms {
 public:
  // Replaces an earlier use of the key.
  void Add(attach::AttachmentId rank, const RoomKey& key, room::EndedUse use, TimePoint until) {
    ended_[{rank, key}] = {std::move(use), until, ++added_};
    order_.push_back({{rank, key}, added_});
    while (order_.size() > kMax) {
      auto it = ended_.find(order_.front().first);
      if (it != ended_.end() && it->second.number == order_.front().second) ended_.erase(it);
      order_.pop_front();
    }
  }

  // The last use of the key that ended and is still remembered; null otherwise. Good until Add.
  room::EndedUse* Find(attach::AttachmentId rank, const RoomKey& key, TimePoint now) {
    auto it = ended_.find({rank, key});
    if (it == ended_.end()) return nullptr;
    if (it->second.until > now) return &it->second.use;
    ended_.erase(it);
    return nullptr;
  }

 private:
  static constexpr size_t kMax = 16384;
  using Key = std::pair<attach::AttachmentId, RoomKey>;
  struct Ended {
    room::EndedUse use;
    TimePoint until;
    uint64_t number = 0;
  };
  uint64_t added_ = 0;
  absl::flat_hash_map<Key, Ended> ended_;
  std::deque<std::pair<Key, uint64_t>> order_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_
