#include "transfer_agent/worker/offer_admission.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::worker {

absl::Status OfferAdmission::Admit(AttachmentId rank, const RoomKey& key,
                                   const room::SourceRoom* room, const Speaker& speaker,
                                   TimePoint now) const {
  std::optional<room::TargetGroup> whose;
  if (room != nullptr) whose = room->group();
  if (!whose.has_value()) whose = listeners_->FirstGroup(rank, key, now);
  if (!whose.has_value()) return absl::OkStatus();
  const room::TargetGroup group = room::GroupOf(speaker.target);
  if (group != *whose) {
    return Error(
        Reason::kRoomInUse,
        absl::StrCat("room ", ToString(key), " is that of ", room::ToString(*whose),
                     ", which asked first: ", room::ToString(group), " needs a room of its own"),
        speaker.target);
  }
  if (room == nullptr) return absl::OkStatus();
  for (const room::TargetLeg& leg : room->legs()) {
    if (leg.target != speaker.target || leg.peer == speaker.peer) continue;
    if (EpochOf(leg.peer) == EpochOf(speaker.peer)) continue;
    return Error(Reason::kRoomInUse,
                 absl::StrCat("room ", ToString(key),
                              " was offered by another start of this rank's agent, which is there"),
                 speaker.target);
  }
  return absl::OkStatus();
}

Epoch OfferAdmission::EpochOf(PeerId peer) const {
  auto info = context_->peers.find(peer);
  return info == context_->peers.end() ? Epoch() : info->second.epoch;
}

}  // namespace baton::worker
