// The segments of one channel that wait to be posted: one queue a room, rooms in turn, so that a
// large room does not hold up a small one. Jobs and rooms come from free lists and intrusive
// queues: once warm nothing is allocated. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_ROOMS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_ROOMS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "planner/cursor.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/local_memory.h"
#include "transfer_agent/transport/verbs/message.h"

namespace baton::transport::verbs {

// One accepted segment, until its end is reported.
struct Job {
  Segment segment;
  const LocalMemory* local = nullptr;
  const RemoteMemory* remote = nullptr;
  // Runs that the cursor gave and that are not posted: [at, count).
  std::array<planner::CopyRun, 16> runs;
  uint32_t at = 0;
  uint32_t count = 0;
  // Queue pairs on which the part is still to be closed.
  uint32_t closes_left = 0;
  // And those on which that has waited for a credit.
  uint32_t credit_waits = 0;
  // Work requests that are posted and not acknowledged.
  uint32_t unacknowledged = 0;
  // Nothing more will be posted: its end is reported at the last acknowledgement.
  bool over = false;
  absl::Status end;
  Job* next = nullptr;

  // The next run is runs[at].
  bool HasMore() {
    if (at < count) return true;
    if (segment.cursor.done()) return false;
    at = 0;
    count = static_cast<uint32_t>(segment.cursor.Next(absl::MakeSpan(runs)));
    return count > 0;
  }
};

struct SendRoom {
  OfferId offer;
  Job* first = nullptr;
  Job* last = nullptr;
  SendRoom* next = nullptr;  // in the ring, or free
};

class SendRooms {
 public:
  SendRooms() = default;
  SendRooms(const SendRooms&) = delete;
  SendRooms& operator=(const SendRooms&) = delete;

  // Queues the segment; its other fields are the caller's to fill in.
  Job* Add(const Segment& segment);
  // Segments that are not freed yet.
  uint32_t jobs() const { return jobs_; }
  // Rooms with something to post.
  uint32_t waiting() const { return waiting_; }

  // The room whose turn it is leaves the ring; null when there is none.
  SendRoom* Next();
  // Back to the end of the ring; a room without jobs is forgotten.
  void Return(SendRoom* room);
  // Its first job leaves the room; it stays the caller's until Free.
  Job* Pop(SendRoom* room);
  // The room leaves the ring and is forgotten: its jobs, as a list. Also for a room out of the
  // ring.
  Job* Take(OfferId offer);
  // The same for any room; null when there is none.
  Job* TakeAny() { return rooms_.empty() ? nullptr : Take(rooms_.begin()->first); }

  void Free(Job* job);

  // Calls each(offer, first job) for every room.
  template <typename Each>
  void ForEach(Each each) {
    for (const auto& [offer, room] : rooms_) each(offer, *room->first);
  }

 private:
  void Unlink(SendRoom* room);
  void Forget(SendRoom* room);

  absl::flat_hash_map<OfferId, SendRoom*> rooms_;
  SendRoom* ring_first_ = nullptr;
  SendRoom* ring_last_ = nullptr;
  uint32_t waiting_ = 0;
  uint32_t jobs_ = 0;
  std::deque<Job> all_jobs_;  // addresses stay
  std::deque<SendRoom> all_rooms_;
  Job* free_jobs_ = nullptr;
  SendRoom* free_rooms_ = nullptr;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_ROOMS_H_
