// What a wr_id names: the places of a worker's queue pairs. A place is used again under another
// generation. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PLACES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PLACES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/work_id.h"

namespace baton::transport::verbs {

struct Channel;
class QueuePair;

struct Place {
  QueuePair* qp = nullptr;     // null: of one that was taken down
  Channel* channel = nullptr;  // null: the flusher's
  uint32_t index = 0;          // among the channel's queue pairs
  uint16_t generation = 0;
};

class Places {
 public:
  // FULL when every number is in use.
  absl::StatusOr<uint16_t> Take() {
    if (!free_.empty()) {
      const uint16_t number = free_.back();
      free_.pop_back();
      return number;
    }
    if (places_.size() > UINT16_MAX) {
      return Error(Reason::kFull, "verbs: 65536 queue pairs of this worker are in use");
    }
    places_.emplace_back();
    return static_cast<uint16_t>(places_.size() - 1);
  }
  // Completions that name it are nobody's from now on.
  void Free(uint16_t number) {
    const uint16_t next = (places_[number].generation + 1) & kWorkGenerationMask;
    places_[number] = {.generation = next};
    free_.push_back(number);
  }
  // One that was never used, so that its generation stays.
  void GiveBack(uint16_t number) { free_.push_back(number); }

  Place& operator[](uint16_t number) { return places_[number]; }
  // Null: of a queue pair that was taken down, nobody waits for it.
  const Place* Find(const WorkId& id) const {
    if (id.place >= places_.size() || places_[id.place].generation != id.generation) return nullptr;
    return places_[id.place].qp == nullptr ? nullptr : &places_[id.place];
  }
  const std::vector<Place>& all() const { return places_; }

 private:
  std::vector<Place> places_;
  std::vector<uint16_t> free_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PLACES_H_
