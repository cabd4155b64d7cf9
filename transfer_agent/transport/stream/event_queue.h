// Events wait here until the next Poll delivers them, so that none fires inside the call that
// caused it. What a later call takes back (Close, Fence) is removed. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_EVENT_QUEUE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// Bounded by what causes them: one up and one down a channel, one done a segment, one fence a
// window, 64 parts a window.
class EventQueue {
 public:
  void ChannelUp(ChannelId channel);
  void ChannelDown(ChannelId channel, absl::Status cause);
  void SegmentDone(uint64_t cookie, absl::Status status);
  void Part(ChannelId channel, PeerId peer, OfferId offer, uint32_t part, uint64_t bytes);
  void WindowBroken(PeerId peer, OfferId offer, absl::Status cause);
  void Fenced(PeerId peer, OfferId offer);
  void ChannelRetired(ChannelId channel);

  // Closed: nothing of the channel itself fires any more.
  void ForgetChannel(ChannelId channel);
  // Fenced: neither parts nor breakage of the window fire any more.
  void ForgetWindow(PeerId peer, OfferId offer);

  bool empty() const { return head_ == events_.size(); }
  // Fires what was queued before the call. False when there was nothing.
  bool Deliver(Events* events);

 private:
  enum class Kind : uint8_t { kUp, kDown, kDone, kPart, kBroken, kFenced, kRetired };
  struct Event {
    Kind kind;
    OfferId offer;
    uint32_t part = 0;
    uint64_t number = 0;  // cookie or bytes
    ChannelId channel;
    PeerId peer;
    absl::Status status;
  };
  static void Fire(const Event& event, Events* events);

  template <typename Untrue>
  void Remove(Untrue untrue);

  // Keeps its capacity: a queue that is warm allocates nothing.
  std::vector<Event> events_;
  size_t head_ = 0;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_EVENT_QUEUE_H_
