// The receiving end: which immediates are awaited, and which parts they make complete.
//
// What has come is a set: a repeated immediate changes nothing, one of a slot or generation that is
// not open is counted and dropped. A part is complete when every queue pair of the channel that it
// came over has closed it. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_TARGET_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_TARGET_DATAPATH_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/immediate.h"
#include "transfer_agent/transport/verbs/local_memory.h"

namespace baton::transport::verbs {

class TargetDatapath {
 public:
  explicit TargetDatapath(Counters* counters) : counters_(counters) {}

  // ALREADY_EXISTS, or what is wrong with the window. `memory`: what it writes to.
  absl::Status Open(const Window& window, const LocalMemory* memory);
  // Nothing is awaited for it any more. False when it was not open.
  bool Close(PeerId peer, OfferId offer);
  // Null when the window is not open.
  const LocalMemory* MemoryOf(PeerId peer, OfferId offer) const;
  // Bytes of the room that the window is for; 0 when not open.
  uint64_t RoomBytes(PeerId peer, OfferId offer) const;
  std::vector<OfferId> OffersOf(PeerId peer) const;
  // A window of the peer is open.
  bool Awaits(PeerId peer) const;

  // `queue_pair` of `queue_pairs` of the channel has closed its share of the part. Returns the
  // window's memory when that made the part complete, once; null otherwise.
  const LocalMemory* OnImmediate(ChannelId channel, PeerId peer, uint32_t queue_pair,
                                 uint32_t queue_pairs, PartImmediate immediate);

 private:
  struct Part {
    uint32_t number = 0;
    ChannelId channel;
    uint32_t closed = 0;  // by queue pair
  };
  struct Awaited {
    const LocalMemory* memory = nullptr;
    uint64_t bytes = 0;
    uint64_t done = 0;        // by part
    std::vector<Part> parts;  // not done
  };

  Counters* const counters_;
  absl::flat_hash_map<std::pair<PeerId, OfferId>, Awaited> windows_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_TARGET_DATAPATH_H_
