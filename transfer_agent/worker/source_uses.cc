// Which use of a room's id a target means: rooms that an offer begins, or comes late to.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/worker/source_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

room::TargetWord SourceSide::WordOf(PeerId peer, const v1::OfferId& id, const v1::RankRef& target,
                                    uint32_t open_ms, TimePoint now) const {
  auto info = context_->peers.find(peer);
  const Epoch epoch = info == context_->peers.end() ? Epoch() : info->second.epoch;
  return {{epoch, id.worker(), FromProto(target)},
          id.serial(),
          now - std::chrono::milliseconds(open_ms)};
}

absl::StatusOr<SourceSide::Entry*> SourceSide::LatestUse(const HostedRank& rank, const RoomKey& key,
                                                         const room::TargetWord& word,
                                                         TimePoint now) {
  auto over = [&](room::EndedUse& use) -> absl::Status {
    // Whatever comes of this target next is of a later use.
    use.uses.Note(word);
    if (!use.outcome.ok()) return use.outcome;
    return Error(Reason::kRoomInUse,
                 use.group.has_value()
                     ? absl::StrCat("the room has just ended here; it was that of ",
                                    room::ToString(*use.group))
                     : "the room has just ended here",
                 rank.ref());
  };
  room::EndedUse* before = ended_.Find(rank.attached->id, key, now);
  Entry* entry = rooms_.FindKey(rank.attached->id, key);
  if (entry == nullptr && before != nullptr && !before->BeginsAnother(word)) return over(*before);
  if (entry != nullptr && before != nullptr && before->Covers(word)) return over(*before);
  if (entry == nullptr || !IsOver(*entry)) return entry;
  // Its engine has not closed it yet, or it still stops.
  room::EndedUse use = UseOf(*entry);
  if (use.BeginsAnother(word)) return nullptr;
  entry->room.uses().Note(word);
  return over(use);
}

absl::StatusOr<SourceSide::Entry*> SourceSide::RoomOf(HostedRank& rank, PeerId peer,
                                                      const v1::Offer& offer,
                                                      const room::TargetWord& word, uint64_t bytes,
                                                      TimePoint now) {
  const RoomKey key = FromProto(offer.room());
  auto entry = LatestUse(rank, key, word, now);
  if (!entry.ok()) return entry;
  const room::SourceRoom* room = *entry == nullptr ? nullptr : &(*entry)->room;
  absl::Status admitted =
      admission_.Admit(rank.attached->id, key, room, {peer, word.voice.target}, now);
  if (!admitted.ok()) {
    if (room != nullptr) (*entry)->room.uses().Note(word);
    return admitted;
  }
  if (*entry != nullptr) return entry;
  if (absl::Status full = context_->held.Check(peer, bytes); !full.ok()) {
    return Error(ReasonOf(full), full.message(), rank.ref());
  }
  return &Hold(rank, offer, now);
}

SourceSide::Entry& SourceSide::Hold(HostedRank& rank, const v1::Offer& offer, TimePoint now) {
  const uint32_t left = std::min(offer.time_left_ms(), context_->limits.time_left_ms_max);
  const TimePoint deadline = now + std::chrono::milliseconds(left);
  Entry& entry = rooms_.Add(rank.attached->id,
                            room::SourceRoom(FromProto(offer.room()), room::SourceState::kHeld),
                            now, deadline);
  ++rank.rooms;
  listeners_.NoteIn(rank.attached->id, entry.room.key(), &entry.room.uses());
  context_->deadlines.Add(deadline, entry.serial);
  return entry;
}

void SourceSide::TellRefused(const HostedRank& rank, const shm_abi::OpenSend& request,
                             const absl::Status& cause, TimePoint now) {
  const AttachmentId id = rank.attached->id;
  Entry* entry = rooms_.FindKey(id, request.room);
  if (entry != nullptr && entry->room.state() != room::SourceState::kHeld) return;  // another's
  const uint32_t left = std::min(request.time_left_ms, context_->limits.time_left_ms_max);
  if (rank.MayOpen() && left == request.time_left_ms) BindRoom(rank, request);
  if (entry != nullptr) Fail(*entry, cause, now);
  room::EndedUse* before = ended_.Find(id, request.room, now);
  if (before != nullptr && !before->opened_here) {
    before->opened_here = true;
    before->ended = now;
    return;
  }
  room::EndedUse use{cause, now, /*opened_here=*/true,
                     before != nullptr ? before->uses : room::RoomUses()};
  use.recurs = request.room.nonce == 0;
  listeners_.NoteIn(id, request.room, &use.uses);
  listeners_.TellFailed(id, request.room, cause);
  ended_.Add(id, request.room, std::move(use),
             KeepFailureUntil(now, now + std::chrono::milliseconds(left), now), now);
}

}  // namespace baton::worker
