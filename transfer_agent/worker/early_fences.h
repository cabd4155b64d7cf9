// Fences that overtook their offers, which come on the other stream: refused when they do, however
// late. A worker of a peer numbers its offers, and they come in that order, so a fence is early
// exactly when its number is above that of the last offer. Nothing here goes by time, and a slot
// that is used again is not mistaken for its earlier use.
#ifndef BATON_TRANSFER_AGENT_WORKER_EARLY_FENCES_H_
#define BATON_TRANSFER_AGENT_WORKER_EARLY_FENCES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "transfer_agent/transport/transport.h"

namespace baton::worker {

// Thread-compatible. Bounded: by the offers that a peer's worker may have open.
class EarlyFences {
 public:
  // A fence of an offer that is not open.
  void Add(transport::PeerId peer, uint32_t worker, uint64_t serial) {
    Stream& stream = streams_[{peer, worker}];
    if (serial <= stream.last_offer) return;
    stream.early.insert(serial);
    if (stream.early.size() > kMax) stream.early.erase(stream.early.begin());
  }

  // The offer has come. True: its fence came before it.
  bool Take(transport::PeerId peer, uint32_t worker, uint64_t serial) {
    Stream& stream = streams_[{peer, worker}];
    if (serial <= stream.last_offer) return false;
    stream.last_offer = serial;
    const bool fenced = stream.early.contains(serial);
    stream.early.erase(stream.early.begin(), stream.early.upper_bound(serial));
    return fenced;
  }

  void Forget(transport::PeerId peer) {
    std::erase_if(streams_, [peer](const auto& s) { return s.first.first == peer; });
  }

 private:
  static constexpr size_t kMax = 65536;
  struct Stream {
    uint64_t last_offer = 0;
    std::set<uint64_t> early;
  };
  std::map<std::pair<transport::PeerId, uint32_t>, Stream> streams_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_EARLY_FENCES_H_
