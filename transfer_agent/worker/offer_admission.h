// Whether a target that speaks of a room belongs to it. A room has one decode group, the first that
// offered or announced itself; whoever comes second with the same id is refused alone, and what it
// says harms nobody. docs/design/room-protocol.md, "Whose room it is".
#ifndef BATON_TRANSFER_AGENT_WORKER_OFFER_ADMISSION_H_
#define BATON_TRANSFER_AGENT_WORKER_OFFER_ADMISSION_H_

#include "absl/status/status.h"
#include "transfer_agent/room/source_room.h"
#include "transfer_agent/worker/room_listeners.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

// Thread-compatible.
class OfferAdmission {
 public:
  OfferAdmission(const WorkerContext* context, const RoomListeners* listeners)
      : context_(context), listeners_(listeners) {}

  // Who speaks, and of whom.
  struct Speaker {
    PeerId peer;
    RankRef target;
  };

  // OK: the room is that of the target's group, or nobody's yet. ROOM_IN_USE says whose it is.
  // `room` may be null: nobody has opened or offered it.
  absl::Status Admit(AttachmentId rank, const RoomKey& key, const room::SourceRoom* room,
                     const Speaker& speaker, TimePoint now) const;

 private:
  Epoch EpochOf(PeerId peer) const;

  const WorkerContext* const context_;
  const RoomListeners* const listeners_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_OFFER_ADMISSION_H_
