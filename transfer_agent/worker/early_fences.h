// Fences that overtook their offers, which come on the other stream: refused when they do, however
// late. A worker of a peer numbers its offers, and they come in that order, so a fence is early
// exactly when its number is above that of the last offer. Nothing here goes by time, and a slot
// that is used again is not mistaken for its earlier use.
#ifndef BATON_TRANSFER_AGENT_WORKER_EARLY_FENCES_H_
#define BATON_TRANSFER_AGENT_WORKER_EARLY_FENCES_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>

#include "transfer_agent/transport/transport.h"

namespace baton::worker {

// Thread-compatible. Bounded for each peer, whatever workers it says it has: by the offers that it
// may have open.
class EarlyFences {
 public:
  // A fence of an offer that is not open.
  void Add(transport::PeerId peer, uint32_t worker, uint64_t serial) {
    Peer& of = peers_[peer];
    Stream* stream = StreamOf(&of, worker);
    if (stream == nullptr || serial <= stream->last_offer) return;
    if (stream->early.insert(serial).second) ++of.early;
    if (of.early <= kMax) return;
    stream->early.erase(stream->early.begin());
    --of.early;
  }

  // The offer has come. True: its fence came before it.
  bool Take(transport::PeerId peer, uint32_t worker, uint64_t serial) {
    Peer& of = peers_[peer];
    Stream* stream = StreamOf(&of, worker);
    if (stream == nullptr || serial <= stream->last_offer) return false;
    stream->last_offer = serial;
    const bool fenced = stream->early.contains(serial);
    const auto past = stream->early.upper_bound(serial);
    of.early -= std::distance(stream->early.begin(), past);
    stream->early.erase(stream->early.begin(), past);
    return fenced;
  }

  void Forget(transport::PeerId peer) { peers_.erase(peer); }

 private:
  static constexpr size_t kMax = 65536;
  static constexpr size_t kWorkersMax = 1024;
  struct Stream {
    uint64_t last_offer = 0;
    std::set<uint64_t> early;
  };
  struct Peer {
    std::map<uint32_t, Stream> streams;  // by worker
    size_t early = 0;                    // in all of them
  };

  // Null: no agent has so many workers.
  static Stream* StreamOf(Peer* peer, uint32_t worker) {
    auto it = peer->streams.find(worker);
    if (it != peer->streams.end()) return &it->second;
    return peer->streams.size() < kWorkersMax ? &peer->streams[worker] : nullptr;
  }

  std::map<transport::PeerId, Peer> peers_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_EARLY_FENCES_H_
