// Rooms that a target announces before it has pages for them, as their source sees them.
#include <algorithm>

#include "common/reason.h"
#include "transfer_agent/worker/source_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

absl::Status SourceSide::CheckAnnounced(const HostedRank* rank,
                                        const v1::Announced& announced) const {
  const RankRef source = FromProto(announced.source());
  if (rank == nullptr) {
    return Error(Reason::kPeerLost, "no engine of this rank is attached", source);
  }
  if (announced.source_epoch() != context_->epoch.value()) {
    return Error(Reason::kStaleEpoch, "this agent has restarted", source);
  }
  if (announced.source_incarnation() != rank->incarnation.value()) {
    return Error(Reason::kStaleIncarnation, "the source is of another incarnation", source);
  }
  return absl::OkStatus();
}

void SourceSide::OnAnnounced(PeerId peer, const v1::Announced& announced, TimePoint now) {
  const RankRef source = FromProto(announced.source());
  HostedRank* rank = context_->FindRank(source);
  const auto left = std::min(announced.time_left_ms(), context_->limits.time_left_ms_max);
  const RoomListeners::Listener listener{
      peer, WordOf(peer, announced.offer(), announced.target(), announced.open_ms(), now), source,
      now + std::chrono::milliseconds(left)};
  if (absl::Status status = CheckAnnounced(rank, announced); !status.ok()) {
    return listeners_.Tell(listener, status);
  }
  const RoomKey key = FromProto(announced.room());
  auto entry = LatestUse(*rank, key, listener.word, now);
  if (!entry.ok()) return listeners_.Tell(listener, entry.status());
  const room::SourceRoom* room = *entry == nullptr ? nullptr : &(*entry)->room;
  absl::Status admitted =
      admission_.Admit(rank->attached->id, key, room, {peer, listener.word.voice.target}, now);
  if (!admitted.ok()) return listeners_.Tell(listener, admitted);
  absl::Status added = listeners_.Add(rank->attached->id, key, listener, now);
  if (!added.ok()) return listeners_.Tell(listener, added);
  if (*entry == nullptr) return;
  (*entry)->room.uses().Note(listener.word);
  if ((*entry)->room.complete()) {
    listeners_.Tell(listener, absl::OkStatus(), (*entry)->room.tokens().total);
  }
}

}  // namespace baton::worker
