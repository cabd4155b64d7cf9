// A budget that peers share, of which no peer can take so much that the next finds nothing: each
// may hold as much as is still free. One alone gets half of it; of n that take what they can each
// gets 1/(n + 1), and as much is left for whoever comes next.
#ifndef BATON_TRANSFER_AGENT_WORKER_PEER_SHARES_H_
#define BATON_TRANSFER_AGENT_WORKER_PEER_SHARES_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "common/log.h"
#include "transfer_agent/transport/transport.h"

namespace baton::worker {

// Thread-compatible.
class PeerShares {
 public:
  explicit PeerShares(uint64_t limit) : limit_(limit) {}

  bool MayTake(transport::PeerId peer, uint64_t amount) const {
    const uint64_t free = limit_ - used_;
    return amount <= free && Of(peer) + amount <= free - amount;
  }
  // Only what it may take.
  void Take(transport::PeerId peer, uint64_t amount) {
    held_[peer] += amount;
    used_ += amount;
  }
  void Give(transport::PeerId peer, uint64_t amount) {
    auto it = held_.find(peer);
    CHECK(it != held_.end() && it->second >= amount) << "a peer gives back what it does not hold";
    used_ -= amount;
    it->second -= amount;
    if (it->second == 0) held_.erase(it);
  }

  uint64_t Of(transport::PeerId peer) const {
    auto it = held_.find(peer);
    return it == held_.end() ? 0 : it->second;
  }
  uint64_t used() const { return used_; }

 private:
  const uint64_t limit_;
  uint64_t used_ = 0;
  absl::flat_hash_map<transport::PeerId, uint64_t> held_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_PEER_SHARES_H_
