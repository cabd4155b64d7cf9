// From the offers to the end of a decode room.
#include "transfer_agent/worker/target_side.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/worker/ended_rooms.h"
#include "transfer_agent/worker/room_record.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

using room::Stage;
using room::TargetState;

TargetSide::Entry* TargetSide::FindLeg(PeerId peer, OfferId offer, size_t* leg) {
  auto it = legs_.find({peer, offer});
  if (it == legs_.end()) return nullptr;
  *leg = it->second.leg;
  return rooms_.Find(it->second.serial);
}

void TargetSide::Publish(Entry& entry, shm_abi::RoomState state, bool released) {
  HostedRank* rank = context_->FindRank(entry.rank);
  if (rank == nullptr || !entry.slot.has_value()) return;
  attach::TableWriter& table = *rank->attached->table;
  if (state == shm_abi::RoomState::kFailed) table.SetCause(entry.slot->slot, entry.room.cause());
  table.SetBytes(entry.slot->slot, entry.room.bytes_landed());
  const bool complete = entry.room.sources_complete();
  if (complete) table.SetSourceTokens(entry.slot->slot, entry.room.source_tokens());
  table.Publish(entry.slot->slot, {entry.slot->generation, state, released, complete});
}

void TargetSide::OnPart(PeerId peer, OfferId offer, uint32_t part, uint64_t bytes, TimePoint now) {
  size_t leg = 0;
  Entry* entry = FindLeg(peer, offer, &leg);
  if (entry == nullptr || entry->room.state() != TargetState::kOffered) return;
  entry->stages.Note(Stage::kLanding, now);
  if (absl::Status status = entry->room.PartLanded(leg, part, bytes); !status.ok()) {
    return Fail(*entry, status, now);
  }
  MaybeLand(*entry, now);
}

void TargetSide::OnSent(PeerId peer, const v1::Sent& sent, TimePoint now) {
  size_t leg = 0;
  const OfferId offer = FromProto(sent.offer());
  Entry* entry = FindLeg(peer, offer, &leg);
  if (entry == nullptr || entry->room.state() != TargetState::kOffered) return;
  absl::Status status = entry->room.Sent(leg, sent.parts(), sent.bytes(), sent.total_tokens());
  if (!status.ok()) return Fail(*entry, status, now);
  room::SourceLeg& from = entry->room.legs()[leg];
  from.channel = sent.channel();
  const bool stays = !from.transport->capabilities().retires;  // with its channel
  if (stays && !from.AllIn() && from.channel != 0 &&
      !context_->channels.IsAccepted(peer, from.source_worker, from.transport, from.channel)) {
    return FailByChannel(*entry, from, "it was lost before everything had come", now);
  }
  MaybeLand(*entry, now);
}

void TargetSide::OnChannelDown(const AcceptedChannel& channel, const absl::Status& cause,
                               TimePoint now) {
  // Its rooms may go on over another one: the source will say.
  if (channel.transport->capabilities().retires) return;
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr || entry->room.state() != TargetState::kOffered) continue;
    for (const room::SourceLeg& leg : entry->room.legs()) {
      const AcceptedChannel over{leg.peer, leg.source_worker, leg.transport, leg.channel};
      // Where the source has not sent everything, it fails the room, or says what it has sent.
      if (over != channel || !leg.sent || leg.AllIn()) continue;
      FailByChannel(*entry, leg, cause.message(), now);
      break;
    }
  }
}

void TargetSide::FailByChannel(Entry& entry, const room::SourceLeg& leg, absl::string_view why,
                               TimePoint now) {
  Fail(entry,
       Error(Reason::kTransport,
             absl::StrCat(leg.transport->capabilities().name, " channel: ", why), leg.source),
       now);
}

void TargetSide::MaybeLand(Entry& entry, TimePoint now) {
  if (!entry.room.AllIn()) return;
  entry.room.Land();
  // Every part that the sources announced is closed: nothing of the room is under way.
  for (const room::SourceLeg& leg : entry.room.legs()) {
    leg.transport->FenceDrained(leg.peer, leg.offer);
  }
  context_->metrics.Observe(MetricStage::kLand, now - entry.stage_began);
  entry.stages.Note(Stage::kDone, now);
  context_->CountDone(context_->FindRank(entry.rank), now - entry.opened);
  Publish(entry, shm_abi::RoomState::kDone, true);
  for (const room::SourceLeg& leg : entry.room.legs()) {
    v1::Frame frame;
    frame.set_to_worker(leg.source_worker);
    ToProto(leg.offer, context_->index, frame.mutable_landed()->mutable_offer());
    absl::Status sent =
        context_->outbox->Send(leg.peer, control::Priority::kUrgent, std::move(frame));
    if (!sent.ok()) {
      LOG(WARNING) << "room " << ToString(entry.room.key())
                   << ": its source cannot be told that all landed: " << sent;
    }
  }
  MaybeErase(entry, now);
}

void TargetSide::Fail(Entry& entry, absl::Status cause, TimePoint now, size_t told_by) {
  const absl::string_view state = Name(entry.room.state());
  if (!entry.room.Fail(std::move(cause))) return;
  StopLooking(entry);
  entry.stages.Note(Stage::kFailed, now);
  context_->CountFailed(context_->FindRank(entry.rank), entry.room.key(), state,
                        entry.room.bytes_landed(), now - entry.opened, entry.room.cause());
  FenceLegs(entry);
  Publish(entry, shm_abi::RoomState::kFailed, false);
  const HostedRank* rank = context_->FindRank(entry.rank);
  if (entry.room.legs().empty() && rank != nullptr) {
    TellSources(*rank, entry.room.request(), entry.room.cause(), entry.opened, entry.deadline,
                entry.room.use(), now);
  }
  for (size_t i = 0; i < entry.room.legs().size(); ++i) {
    const room::SourceLeg& leg = entry.room.legs()[i];
    if (i == told_by) continue;
    v1::Frame frame;
    frame.set_to_worker(leg.source_worker);
    v1::Failed* failed = frame.mutable_failed();
    ToProto(leg.offer, context_->index, failed->mutable_offer());
    failed->mutable_offer()->set_serial(leg.serial);
    ToProto(entry.room.key(), failed->mutable_room());
    ToProto(leg.source, failed->mutable_source());
    if (rank != nullptr) ToProto(rank->ref(), failed->mutable_target());
    failed->set_open_ms(MillisSince(entry.opened, now));
    failed->set_time_left_ms(MillisLeft(KeepFailureUntil(entry.opened, entry.deadline, now), now));
    *failed->mutable_cause() = ToDetail(entry.room.cause());
    // A peer that is down learns by its own loss of us.
    context_->outbox->Send(leg.peer, control::Priority::kUrgent, std::move(frame)).IgnoreError();
  }
  // After the cause: a source that learns it first has nothing left to stop.
  AskForFences(entry);
  MaybeRelease(entry, now);
}

void TargetSide::TellSources(const HostedRank& rank, const shm_abi::OpenReceive& request,
                             const absl::Status& cause, TimePoint opened, TimePoint deadline,
                             uint64_t use, TimePoint now) {
  untold_.Add({request.room, rank.ref(), request.prefill_server, request.prefill_dp, cause,
               KeepFailureUntil(opened, deadline, now), opened, use != 0 ? use : ++last_serial_},
              now);
}

void TargetSide::MaybeRelease(Entry& entry, TimePoint now) {
  if (!entry.room.AllFenced()) return;
  entry.room.Release();
  entry.stages.Note(Stage::kReleased, now);
  Publish(entry, shm_abi::RoomState::kFailed, true);
  MaybeErase(entry, now);
}

void TargetSide::MaybeErase(Entry& entry, TimePoint) {
  const bool all_fenced = std::all_of(entry.room.legs().begin(), entry.room.legs().end(),
                                      [](const room::SourceLeg& leg) { return leg.fenced; });
  HostedRank* rank = context_->FindRank(entry.rank);
  const bool engine_holds_it = entry.slot.has_value() && rank != nullptr && !rank->leaving;
  if (!room::IsTerminal(entry.room.state()) || engine_holds_it || !all_fenced) return;
  if (rank != nullptr) --rank->rooms;
  if (rank != nullptr) context_->Remember(*rank, RecordOf(entry, *rank));
  announced_.erase(entry.room.use());
  rooms_.Erase(entry);
}

void TargetSide::OnRefused(PeerId peer, const v1::Refused& refused, TimePoint now) {
  size_t leg = 0;
  const OfferId offer = FromProto(refused.offer());
  Entry* entry = FindLeg(peer, offer, &leg);
  if (entry != nullptr) Fail(*entry, FromDetail(refused.cause()), now, leg);
}

void TargetSide::OnFailed(PeerId peer, const v1::Failed& failed, TimePoint now) {
  size_t leg = 0;
  const OfferId offer = FromProto(failed.offer());
  Entry* entry = FindLeg(peer, offer, &leg);
  if (entry != nullptr) Fail(*entry, FromDetail(failed.cause()), now, leg);
}

void TargetSide::OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause,
                                TimePoint now) {
  size_t leg = 0;
  Entry* entry = FindLeg(peer, offer, &leg);
  if (entry == nullptr) return;
  Fail(*entry, Error(ReasonOf(cause), cause.message(), entry->room.legs()[leg].source), now);
}

void TargetSide::OnPeerDown(PeerId peer, const absl::Status& cause, TimePoint now) {
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr) continue;
    if (entry->room.state() == TargetState::kLooking) {
      for (const room::TargetRoom::Source& source : entry->room.listens_to()) {
        if (source.peer != peer) continue;
        Fail(*entry, Error(Reason::kPeerLost, cause.message(), source.rank), now);
        break;
      }
      continue;
    }
    for (const room::SourceLeg& leg : entry->room.legs()) {
      if (leg.peer != peer) continue;
      Fail(*entry, Error(Reason::kPeerLost, cause.message(), leg.source), now);
      break;
    }
  }
  // The peer comes back under another id, if it does.
  slots_.erase(peer);
  std::erase_if(unanswered_, [peer](const auto& e) { return e.first.first == peer; });
}

void TargetSide::OnDeadline(RoomSerial serial, TimePoint now) {
  Entry* entry = rooms_.Find(serial);
  if (entry == nullptr) return;
  const shm_abi::OpenReceive& request = entry->room.request();
  for (const room::SourceLeg& leg : entry->room.legs()) {
    if (leg.AllIn()) continue;
    return Fail(
        *entry,
        Error(Reason::kDeadline,
              absl::StrCat("deadline of ", request.time_left_ms,
                           " ms passed while waiting for a source: ", leg.bytes_landed, " of ",
                           leg.bytes_expected, " bytes, sent: ", leg.sent ? "yes" : "no"),
              leg.source),
        now);
  }
  Fail(
      *entry,
      Error(Reason::kDeadline, absl::StrCat("deadline of ", request.time_left_ms,
                                            " ms passed while ", Name(entry->room.state()), " for ",
                                            request.prefill_server, ": ", WhatIsMissing(*entry))),
      now);
}

std::string TargetSide::WhatIsMissing(const Entry& entry) const {
  const shm_abi::OpenReceive& request = entry.room.request();
  const auto server = context_->servers.Find(request.prefill_server);
  if (server == nullptr) return "no such server is registered";
  if (!request.prefill_dp.has_value()) return "nobody bound the room to a dp rank";
  if (!entry.room.listens_to().empty()) return "its engine has given no pages";
  const ServerView& view = *server;
  for (const auto& [coord, address] : view.addresses) {
    if (coord.dp != *request.prefill_dp) continue;
    const auto source = finder_->Find(view, coord);
    if (!source.ok()) return absl::StrCat(ToString(coord), ": ", source.status().message());
  }
  return absl::StrCat("only ", view.addresses.size(), " ranks of it are registered");
}

bool TargetSide::Abort(HostedRank& rank, const shm_abi::SlotRef& slot, const std::string& why,
                       TimePoint now) {
  Entry* entry = rooms_.FindSlot(rank.attached->id, slot);
  if (entry == nullptr) return false;
  Fail(*entry, Error(Reason::kAborted, why, rank.ref()), now);
  return true;
}

int TargetSide::AbortKey(const RoomKey& key, const HostedRank* only, const absl::Status& cause,
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

bool TargetSide::Close(HostedRank& rank, const shm_abi::SlotRef& slot, TimePoint now) {
  Entry* entry = rooms_.FindSlot(rank.attached->id, slot);
  if (entry == nullptr) return false;
  const RoomSerial serial = entry->serial;
  rooms_.UnbindSlot(*entry);
  Fail(*entry, Error(Reason::kAborted, "the engine closed the room", rank.ref()), now);
  if (Entry* left = rooms_.Find(serial)) MaybeErase(*left, now);
  return true;
}

void TargetSide::EngineGone(HostedRank& rank, TimePoint now) {
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr || entry->rank != rank.attached->id) continue;
    Fail(*entry, Error(Reason::kEngineLost, "the engine of this rank has ended", rank.ref()), now);
    if (Entry* left = rooms_.Find(serial)) MaybeErase(*left, now);
  }
}

}  // namespace baton::worker
