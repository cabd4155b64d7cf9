// Which peers hold rooms here that the engine has not opened yet, and what that costs: bounded by
// number and by bytes, shared by the peers (peer_shares.h), and over when the peer is gone.
#ifndef BATON_TRANSFER_AGENT_WORKER_HELD_OFFERS_H_
#define BATON_TRANSFER_AGENT_WORKER_HELD_OFFERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "transfer_agent/attach/attached_rank.h"
#include "transfer_agent/room/source_room.h"
#include "transfer_agent/worker/deadline_queue.h"
#include "transfer_agent/worker/peer_shares.h"

namespace baton::worker {

// Thread-compatible.
class HeldOffers {
 public:
  HeldOffers(uint64_t offers_max, uint64_t bytes_max)
      : offers_max_(offers_max), bytes_max_(bytes_max), offers_(offers_max), bytes_(bytes_max) {}

  // What an offer takes while it is held; `leg` has the pages, or none where it is spare.
  static uint64_t BytesOf(const room::TargetLeg& leg);

  // OK: the peer may have another offer held. FULL: what it holds, and what is held in all.
  absl::Status Check(transport::PeerId peer, uint64_t bytes) const;
  // The same, and the offer is held in the room, which is the rank's.
  absl::Status Add(RoomSerial room, attach::AttachmentId rank, transport::PeerId peer,
                   uint64_t bytes);
  // The room is held no more. Nothing for one that is not.
  void Remove(RoomSerial room);
  // The peer has gone, and its offers with it. Rooms that nobody else holds, in the order of their
  // serials; they are held until Remove, for nothing.
  std::vector<RoomSerial> ForgetPeer(transport::PeerId peer);

  uint32_t RoomsOf(attach::AttachmentId rank) const {
    auto it = rooms_of_.find(rank);
    return it == rooms_of_.end() ? 0 : it->second;
  }
  size_t rooms() const { return rooms_.size(); }
  uint64_t bytes() const { return bytes_.used(); }

 private:
  struct Claim {
    transport::PeerId peer;
    uint64_t bytes = 0;
  };

  struct Room {
    attach::AttachmentId rank;
    std::vector<Claim> claims;
  };

  void GiveBack(const Claim& claim);

  const uint64_t offers_max_;
  const uint64_t bytes_max_;
  PeerShares offers_;
  PeerShares bytes_;
  absl::flat_hash_map<RoomSerial, Room> rooms_;
  absl::flat_hash_map<attach::AttachmentId, uint32_t> rooms_of_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_HELD_OFFERS_H_
