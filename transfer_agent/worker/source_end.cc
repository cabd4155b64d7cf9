// How a prefill room ends: failed, stopped, closed, or forgotten.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/worker/room_record.h"
#include "transfer_agent/worker/source_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

using room::SourceEvent;
using room::SourceState;
using room::Stage;

void SourceSide::Fail(Entry& entry, absl::Status cause, TimePoint now, size_t told_by) {
  const SourceState state = entry.room.state();
  if (!entry.room.Fail(std::move(cause))) return;
  if (state == SourceState::kHeld) context_->held.Remove(entry.serial);
  stalled_.erase(entry.serial);
  entry.stages.Note(Stage::kFailed, now);
  context_->CountFailed(context_->FindRank(entry.rank), entry.room.key(), Name(state),
                        entry.room.bytes_submitted(), now - entry.opened, entry.room.cause());
  for (size_t i = 0; i < entry.room.legs().size(); ++i) {
    room::TargetLeg& leg = entry.room.legs()[i];
    if (leg.channel.has_value() && leg.segments_in_flight > 0) {
      leg.transport->Cancel(*leg.channel, leg.offer);
    }
    if (i == told_by || leg.landed) continue;
    v1::Frame frame;
    frame.set_to_worker(leg.target_worker);
    v1::Failed* failed = frame.mutable_failed();
    ToProto(leg.offer, leg.target_worker, failed->mutable_offer());
    ToProto(entry.room.key(), failed->mutable_room());
    ToProto(leg.target, failed->mutable_target());
    *failed->mutable_cause() = ToDetail(entry.room.cause());
    context_->outbox->Send(leg.peer, control::Priority::kUrgent, std::move(frame)).IgnoreError();
  }
  listeners_.TellFailed(entry.rank, entry.room.key(), entry.room.cause());
  Publish(entry, shm_abi::RoomState::kFailed, false);
  MaybeStop(entry, now);
}

void SourceSide::MaybeStop(Entry& entry, TimePoint now) {
  if (!entry.room.AllStopped()) return;
  entry.room.Advance(SourceEvent::kStopped);
  entry.stages.Note(Stage::kReleased, now);
  Publish(entry, shm_abi::RoomState::kFailed, true);
  MaybeErase(entry, now);
}

bool SourceSide::IsOver(const Entry& entry) {
  return IsTerminal(entry.room.state()) || entry.room.state() == SourceState::kStopping;
}

room::EndedUse SourceSide::UseOf(Entry& entry) {
  const bool failed = !entry.room.cause().ok();
  const auto ended = entry.stages.At(failed ? Stage::kFailed : Stage::kDone);
  return {entry.room.cause(), ended.value_or(entry.opened), entry.room.opened(),
          entry.room.uses(),  entry.room.group(),           entry.room.key().nonce == 0};
}

void SourceSide::MaybeErase(Entry& entry, TimePoint now) {
  const bool in_flight =
      std::any_of(entry.room.legs().begin(), entry.room.legs().end(),
                  [](const room::TargetLeg& leg) { return leg.segments_in_flight > 0; });
  HostedRank* rank = context_->FindRank(entry.rank);
  const bool engine_holds_it = entry.slot.has_value() && rank != nullptr && !rank->leaving;
  if (!IsTerminal(entry.room.state()) || engine_holds_it || in_flight) return;
  // Who comes late learns the cause.
  const TimePoint until = entry.room.cause().ok()
                              ? now + context_->limits.linger
                              : KeepFailureUntil(entry.opened, entry.deadline, now);
  ended_.Add(entry.rank, entry.room.key(), UseOf(entry), until, now);
  for (const room::TargetLeg& leg : entry.room.legs()) {
    legs_.erase({leg.peer, leg.target_worker, leg.offer});
  }
  if (rank != nullptr && entry.room.cause().ok() && TellsRegistry(*rank)) {
    context_->outbox->RoomOver(rank->ref().server, entry.room.key());
  }
  if (rank != nullptr) --rank->rooms;
  if (rank != nullptr) context_->Remember(*rank, RecordOf(entry, *rank));
  stalled_.erase(entry.serial);
  rooms_.Erase(entry);
}

void SourceSide::OnPeerDown(PeerId peer, const absl::Status& cause, TimePoint now) {
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr) continue;
    for (const room::TargetLeg& leg : entry->room.legs()) {
      if (leg.peer != peer || leg.landed) continue;
      Fail(*entry,
           Error(Reason::kPeerLost,
                 leg.trouble.ok()
                     ? std::string(cause.message())
                     : absl::StrCat(cause.message(), "; before that: ", leg.trouble.message()),
                 leg.target),
           now);
      break;
    }
  }
  for (RoomSerial serial : context_->held.ForgetPeer(peer)) {
    Entry* entry = rooms_.Find(serial);
    if (entry != nullptr) Fail(*entry, Error(Reason::kPeerLost, cause.message()), now);
  }
  early_fences_.Forget(peer);
  listeners_.ForgetPeer(peer);
  std::erase_if(doubts_, [&](const auto& e) { return e.first.peer == peer; });
  std::erase_if(imports_, [&](const auto& e) { return e.second.first->peer == peer; });
}

void SourceSide::OnDeadline(RoomSerial serial, TimePoint now) {
  Entry* entry = rooms_.Find(serial);
  // The engine may have opened a held room with a later deadline.
  if (entry == nullptr || now < entry->deadline) return;
  const absl::string_view state = Name(entry->room.state());
  for (const room::TargetLeg& leg : entry->room.legs()) {
    if (leg.landed) continue;
    return Fail(*entry,
                Error(Reason::kDeadline,
                      absl::StrCat("deadline passed while ", state, ": ", leg.bytes_submitted,
                                   " of ", leg.bytes_expected, " bytes handed over, landed: no"),
                      leg.target),
                now);
  }
  Fail(*entry,
       Error(Reason::kDeadline,
             absl::StrCat("deadline passed while ", state, ": no decode rank has offered pages")),
       now);
}

bool SourceSide::Abort(HostedRank& rank, const shm_abi::SlotRef& slot, const std::string& why,
                       TimePoint now) {
  Entry* entry = rooms_.FindSlot(rank.attached->id, slot);
  if (entry == nullptr) return false;
  Fail(*entry, Error(Reason::kAborted, why, rank.ref()), now);
  return true;
}

int SourceSide::AbortKey(const RoomKey& key, const HostedRank* only, const absl::Status& cause,
                         TimePoint now) {
  int failed = 0;
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr || entry->room.key() != key || IsTerminal(entry->room.state())) continue;
    if (only != nullptr && entry->rank != only->attached->id) continue;
    Fail(*entry, cause, now);
    ++failed;
  }
  return failed;
}

bool SourceSide::Close(HostedRank& rank, const shm_abi::SlotRef& slot, TimePoint now) {
  Entry* entry = rooms_.FindSlot(rank.attached->id, slot);
  if (entry == nullptr) return false;
  const RoomSerial serial = entry->serial;
  rooms_.UnbindSlot(*entry);
  Fail(*entry, Error(Reason::kAborted, "the engine closed the room", rank.ref()), now);
  if (Entry* left = rooms_.Find(serial)) MaybeErase(*left, now);
  return true;
}

void SourceSide::EngineGone(HostedRank& rank, TimePoint now) {
  listeners_.TellAllFailed(
      rank.attached->id,
      Error(Reason::kEngineLost, "the engine of this rank has ended", rank.ref()));
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr || entry->rank != rank.attached->id) continue;
    Fail(*entry, Error(Reason::kEngineLost, "the engine of this rank has ended", rank.ref()), now);
    if (Entry* left = rooms_.Find(serial)) MaybeErase(*left, now);
  }
}

}  // namespace baton::worker
