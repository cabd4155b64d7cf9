// Rails over which a peer was not reached: channels to that peer leave them out for a while, longer
// each time. Of others nothing is said: a peer that died says nothing about a rail.
// Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PATH_PAUSES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PATH_PAUSES_H_

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "common/clock.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport::verbs {

class PathPauses {
 public:
  static constexpr Duration kMin = std::chrono::milliseconds(500);
  static constexpr Duration kMax = std::chrono::seconds(30);

  // A queue pair from rail `own` to the peer's rail `remote` failed.
  void Failed(PeerId peer, size_t own, size_t remote, TimePoint now) {
    Lengthen(&pauses_[{peer, false, own}], now);
    Lengthen(&pauses_[{peer, true, remote}], now);
  }
  bool OwnPaused(PeerId peer, size_t rail, TimePoint now) const {
    return Paused({peer, false, rail}, now);
  }
  // Of the peer's rails, by its numbers.
  std::vector<uint32_t> RemotePaused(PeerId peer, TimePoint now) const {
    std::vector<uint32_t> rails;
    for (auto it = pauses_.lower_bound({peer, true, 0});
         it != pauses_.end() && it->first.peer == peer && it->first.remote; ++it) {
      if (now < it->second.until) rails.push_back(static_cast<uint32_t>(it->first.rail));
    }
    return rails;
  }
  void Forget(PeerId peer) {
    std::erase_if(pauses_, [peer](const auto& p) { return p.first.peer == peer; });
  }

 private:
  struct Key {
    PeerId peer;
    bool remote = false;
    size_t rail = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Pause {
    TimePoint until;
    Duration length = Duration::zero();
  };

  static void Lengthen(Pause* pause, TimePoint now) {
    if (now < pause->until) return;
    // A rail that has worked for long since starts anew.
    if (now - pause->until > 2 * kMax) pause->length = Duration::zero();
    pause->length = std::clamp(pause->length * 2, kMin, kMax);
    pause->until = now + pause->length;
  }
  bool Paused(const Key& key, TimePoint now) const {
    auto it = pauses_.find(key);
    return it != pauses_.end() && now < it->second.until;
  }

  std::map<Key, Pause> pauses_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PATH_PAUSES_H_
