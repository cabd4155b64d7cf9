// Targets that have announced a room to a source and have no pages for it yet. They are told of the
// room's last chunk and of its failure, once each; an offer of theirs ends it.
#ifndef BATON_TRANSFER_AGENT_WORKER_ROOM_LISTENERS_H_
#define BATON_TRANSFER_AGENT_WORKER_ROOM_LISTENERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/room/room_uses.h"
#include "transfer_agent/worker/peer_shares.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

// Thread-compatible.
class RoomListeners {
 public:
  struct Listener {
    PeerId peer;
    room::TargetWord word;
    RankRef source;   // that it listens to
    TimePoint until;  // the target ends by itself
  };

  explicit RoomListeners(WorkerContext* context) : context_(context) {}

  // FULL when too many rooms are listened to, or too many by that peer.
  absl::Status Add(AttachmentId rank, const RoomKey& key, Listener listener, TimePoint now);
  // The target speaks of the room in another way now.
  void Remove(AttachmentId rank, const RoomKey& key, const room::TargetVoice& voice);
  void ForgetPeer(PeerId peer);
  // The decode group of who announced the room first, and waits still.
  std::optional<room::TargetGroup> FirstGroup(AttachmentId rank, const RoomKey& key,
                                              TimePoint now) const;
  // What they said counts for a room that comes into being.
  void NoteIn(AttachmentId rank, const RoomKey& key, room::RoomUses* uses) const;

  void TellComplete(AttachmentId rank, const RoomKey& key, uint64_t total_tokens);
  // Nobody listens to the key any more.
  void TellFailed(AttachmentId rank, const RoomKey& key, const absl::Status& cause);
  void TellAllFailed(AttachmentId rank, const absl::Status& cause);
  // Also one that was not added. OK: the source is complete, with that total.
  void Tell(const Listener& listener, const absl::Status& cause, uint64_t total_tokens = 0) const;

 private:
  static constexpr size_t kMax = 65536;
  using Key = std::pair<AttachmentId, RoomKey>;

  void Sweep(TimePoint now);
  template <typename Ended>
  void Drop(std::vector<Listener>* of, const Ended& ended);

  WorkerContext* const context_;
  PeerShares shares_{kMax};
  std::map<Key, std::vector<Listener>> listeners_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ROOM_LISTENERS_H_
