// When a window is fenced, and what is to be done for it: pure, the time is an argument.
//
// A source that answers ends its fence at once. One that does not loses its keys, where it has keys
// of its own, and then its channels: in this order, since a key that is invalid holds even where
// the device takes no queue pair down. The caller does both and says what came of it:
//
//   for (PeerId peer : fences.Late(now)) {
//     if (!fences.Revoked(peer, RevokeKeysOf(peer), now)) continue;  // true: all are invalid
//     TakeDownChannelsOf(peer);
//     if (EveryQueuePairIsDown()) Tell(fences.Reset(peer));
//   }
//
// Times run from the first Late after what they count from. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FENCES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FENCES_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/fence_states.h"

namespace baton::transport::verbs {

class LocalMemory;

class Fences {
 public:
  struct Fence {
    PeerId peer;
    OfferId offer;
    const LocalMemory* memory = nullptr;  // which the window was on
  };

  // How long a source may take to answer, and then its keys to become invalid.
  Fences(Duration answer, Duration revoke) : answer_(answer), revoke_(revoke) {}

  void Ask(const Fence& fence);
  // The source's word. The fence that it ended, if that was not told of yet.
  std::optional<Fence> Answer(PeerId peer, OfferId offer);
  // The peer is gone, with its channels: its fences are late now, and owe no answer.
  void GiveUp(PeerId peer);

  // Peers, once each, to which something is to be done.
  std::vector<PeerId> Late(TimePoint now);
  // `all`: no key of the peer's channels is valid. True: its channels are to be taken down now.
  bool Revoked(PeerId peer, bool all, TimePoint now);
  // They are down: these fences hold.
  std::vector<Fence> Reset(PeerId peer);

  // A fence of the peer does not hold yet: its channels are in use.
  bool Pending(PeerId peer) const;
  // It never heard of a fence that holds without its word. A channel would let it write on.
  bool Owes(PeerId peer) const;
  std::optional<TimePoint> NextDue() const;

  // A channel of a peer whose end has failed was taken down: it is told of by TakeRetired, once
  // `parts`, numbered in the order in which they came, have been told of.
  void Retire(ChannelId channel, uint64_t parts) { retired_.emplace_back(channel, parts); }
  std::vector<ChannelId> TakeRetired(uint64_t told);

 private:
  struct Open {
    Fence fence;
    FenceMachine machine{"verbs_fence", kFenceRows, FenceState::kAsked};
    bool gone = false;
    std::optional<TimePoint> late_at = std::nullopt;
    std::optional<TimePoint> revoked_at = std::nullopt;
  };

  void EraseOver();

  const Duration answer_;
  const Duration revoke_;
  std::vector<Open> open_;
  std::vector<std::pair<ChannelId, uint64_t>> retired_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FENCES_H_
