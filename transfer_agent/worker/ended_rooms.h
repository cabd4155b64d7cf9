// Rooms that have ended, for a while: who asks late learns the cause, and what is said of them late
// is not taken for a later use of their id.
#ifndef BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_
#define BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/attach/attached_rank.h"
#include "transfer_agent/room/room_uses.h"

namespace baton::worker {

// Until when a failure is kept for the room's other side, whose engine may open it late: for as
// long again as the room was given here.
inline TimePoint KeepFailureUntil(TimePoint opened, TimePoint deadline, TimePoint now) {
  constexpr Duration kAtLeast = std::chrono::seconds(10);
  return now + std::max(kAtLeast, deadline - opened);
}

// Thread-compatible; bounded by bytes: the oldest are forgotten first. What has passed its time is
// forgotten at the next call.
class EndedRooms {
 public:
  static constexpr size_t kBytesMax = 8 << 20;

  explicit EndedRooms(size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  // Replaces an earlier use of the key.
  void Add(attach::AttachmentId rank, const RoomKey& key, room::EndedUse use, TimePoint until,
           TimePoint now) {
    Sweep(now);
    const Key name{rank, key};
    if (auto it = ended_.find(name); it != ended_.end()) Forget(it);
    const uint64_t number = ++added_;
    by_age_[number] = name;
    by_end_.insert({until, number});
    auto it = ended_.emplace(name, Ended{std::move(use), until, number, 0}).first;
    it->second.bytes = BytesOf(it->second.use);
    bytes_ += it->second.bytes;
    while (bytes_ > bytes_max_) Forget(ended_.find(by_age_.begin()->second));
  }

  // The last use of the key that ended and is still remembered; null otherwise. Good until Add.
  room::EndedUse* Find(attach::AttachmentId rank, const RoomKey& key, TimePoint now) {
    Sweep(now);
    auto it = ended_.find({rank, key});
    return it == ended_.end() ? nullptr : &it->second.use;
  }

  size_t size() const { return ended_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  using Key = std::pair<attach::AttachmentId, RoomKey>;
  struct Ended {
    room::EndedUse use;
    TimePoint until;
    uint64_t number = 0;
    size_t bytes = 0;
  };
  using Map = absl::flat_hash_map<Key, Ended>;

  // As the allocator sees it, about: the entry, its two orders, the words of the cause.
  static size_t BytesOf(const room::EndedUse& use) {
    constexpr size_t kEntry = sizeof(Key) + sizeof(Ended) + 160;
    return kEntry + use.outcome.message().size() + use.uses.bytes();
  }
  void Forget(Map::iterator it) {
    bytes_ -= it->second.bytes;
    by_age_.erase(it->second.number);
    by_end_.erase({it->second.until, it->second.number});
    ended_.erase(it);
  }
  void Sweep(TimePoint now) {
    while (!by_end_.empty() && by_end_.begin()->first <= now) {
      Forget(ended_.find(by_age_.at(by_end_.begin()->second)));
    }
  }

  const size_t bytes_max_;
  size_t bytes_ = 0;
  uint64_t added_ = 0;
  Map ended_;
  std::map<uint64_t, Key> by_age_;
  std::set<std::pair<TimePoint, uint64_t>> by_end_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ENDED_ROOMS_H_
