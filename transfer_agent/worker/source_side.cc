// From the match to the end of a prefill room.
#include "transfer_agent/worker/source_side.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "common/reason.h"
#include "planner/cursor.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

using room::SourceEvent;
using room::SourceState;
using room::Stage;

SourceSide::Entry* SourceSide::FindLeg(const OfferKey& key, size_t* leg) {
  auto it = legs_.find(key);
  if (it == legs_.end()) return nullptr;
  *leg = it->second.leg;
  return rooms_.Find(it->second.serial);
}

void SourceSide::Publish(Entry& entry, shm_abi::RoomState state, bool released) {
  HostedRank* rank = context_->FindRank(entry.rank);
  if (rank == nullptr || !entry.slot.has_value()) return;
  attach::TableWriter& table = *rank->attached->table;
  const uint32_t slot = entry.slot->slot;
  if (state == shm_abi::RoomState::kFailed) table.SetCause(slot, entry.room.cause());
  table.SetPrefix(slot, entry.room.tokens().prefix);
  table.SetBytes(slot, entry.room.bytes_submitted());
  table.Publish(slot, {entry.slot->generation, state, released});
}

void SourceSide::Send(HostedRank& rank, shm_abi::Send send, TimePoint now) {
  Entry* entry = rooms_.FindSlot(rank.attached->id, send.slot);
  // A room that was refused or has failed already: the table says why.
  if (entry == nullptr || IsTerminal(entry->room.state()) ||
      entry->room.state() == SourceState::kStopping) {
    return;
  }
  absl::Status status = entry->room.CheckChunk(send);
  if (status.ok()) status = CheckPages(rank, *entry, send);
  if (!status.ok()) {
    return Fail(*entry, Error(ReasonOf(status), status.message(), rank.ref()), now);
  }
  entry->room.AddChunk(std::move(send));
  if (entry->room.complete()) {
    listeners_.TellComplete(rank.attached->id, entry->room.key(), entry->room.tokens().total);
  }
  if (entry->room.state() == SourceState::kMatched) PumpRoom(*entry, now);
}

absl::Status SourceSide::CheckPages(const HostedRank& rank, const Entry& entry,
                                    const shm_abi::Send& send) {
  const planner::ServerSpec& spec = rank.attached->spec;
  const std::optional<uint64_t>& told = entry.room.total_tokens();
  // Where a window begins follows from the total: lists that were cut without it mean nothing.
  for (uint32_t g = 0; g < spec.page_groups.size() && !told.has_value() && !send.last; ++g) {
    if (spec.page_groups[g].window_tokens == 0 || (send.page_groups >> g & 1) == 0) continue;
    return Error(Reason::kBadChunk, absl::StrCat("page group ", g,
                                                 " has a window, and the room's total is not known "
                                                 "yet: send its pages with the last chunk"));
  }
  planner::SidePages side;
  side.first_token = send.token_begin;
  for (const auto& list : send.pages) side.pages.push_back(list);
  side.state_rows = send.state_rows;
  side.aux_row = send.aux_row;
  return planner::ValidatePages(spec, rank.coord(), rank.attached->layout, side, send.token_begin,
                                send.token_end, told.value_or(send.token_end), send.last,
                                send.page_groups);
}

void SourceSide::Matched(Entry& entry, TimePoint now) {
  context_->metrics.Observe(MetricStage::kMatch, now - entry.opened);
  entry.stage_began = now;
  entry.stages.Note(Stage::kMatched, now);
  if (entry.room.NothingToSend()) {
    entry.room.Advance(SourceEvent::kSpare);
    entry.stages.Note(Stage::kDone, now);
    context_->CountDone(context_->FindRank(entry.rank), now - entry.opened);
    Publish(entry, shm_abi::RoomState::kDone, true);
    return MaybeErase(entry, now);
  }
  Publish(entry, shm_abi::RoomState::kOffered, false);
  PumpRoom(entry, now);
}

bool SourceSide::Pump(TimePoint now) {
  if (stalled_.empty()) return false;
  std::set<RoomSerial> again;
  again.swap(stalled_);
  for (RoomSerial serial : again) {
    if (Entry* entry = rooms_.Find(serial)) PumpRoom(*entry, now);
  }
  return stalled_ != again;
}

void SourceSide::PumpRoom(Entry& entry, TimePoint now) {
  const RoomSerial serial = entry.serial;
  for (size_t i = 0; i < entry.room.legs().size(); ++i) {
    if (!IsActive(entry.room.state())) return;
    if (!PumpLeg(entry, i, now)) stalled_.insert(serial);
    if (rooms_.Find(serial) == nullptr) return;
  }
  MaybeFinish(entry, now);
}

bool SourceSide::PumpLeg(Entry& entry, size_t index, TimePoint now) {
  room::TargetLeg& leg = entry.room.legs()[index];
  // A channel that is not up yet pumps when it comes.
  if (leg.sent || !leg.channel.has_value() ||
      !context_->channels.IsUp(leg.transport, *leg.channel)) {
    return true;
  }
  entry.stages.Note(Stage::kConnected, now);
  HostedRank* rank = context_->FindRank(entry.rank);
  const auto& chunks = entry.room.chunks();
  while (leg.next_chunk < chunks.size()) {
    const room::HeldChunk& chunk = chunks[leg.next_chunk];
    transport::Segment segment;
    segment.offer = leg.offer;
    segment.memory = rank->memory[context_->IndexOf(leg.transport)].id;
    segment.remote = leg.remote;
    segment.tokens = entry.room.tokens();
    segment.chunk = chunk.range;
    segment.cursor =
        planner::Cursor(leg.plan.get(), segment.tokens, chunk.range, &chunk.side, &leg.side);
    segment.close_part = chunk.range.last;
    segment.cookie = next_cookie_;
    segment.attempt = leg.attempt;
    if (chunk.range.last) {
      absl::Status rows =
          planner::CheckSameRows(*leg.plan, chunk.side.state_rows, leg.side.state_rows);
      if (!rows.ok()) {
        Fail(entry, Error(ReasonOf(rows), rows.message(), leg.target), now);
        return true;
      }
    }
    const uint64_t bytes = segment.cursor.bytes_total();
    if (chunk.range.last && leg.bytes_submitted + bytes != leg.bytes_expected) {
      Fail(entry,
           Error(Reason::kBadChunk,
                 absl::StrCat("the chunks cover ", leg.bytes_submitted + bytes, " of the ",
                              leg.bytes_expected, " bytes that the target waits for"),
                 rank->ref()),
           now);
      return true;
    }
    if (bytes == 0 && !chunk.range.last) {
      ++leg.next_chunk;
      continue;
    }
    switch (leg.transport->Submit(*leg.channel, segment)) {
      case transport::Submitted::kFull:
        return false;
      case transport::Submitted::kNoChannel:
        return true;  // OnChannelDown follows
      case transport::Submitted::kAccepted:
        break;
    }
    entry.stages.Note(Stage::kPosted, now);
    cookies_[next_cookie_++] = {entry.serial, index};
    ++leg.segments_in_flight;
    leg.bytes_submitted += bytes;
    ++leg.next_chunk;
    if (!chunk.range.last) continue;
    if (absl::Status status = FinishLeg(entry, leg); !status.ok()) Fail(entry, status, now);
    return true;
  }
  return true;
}

absl::Status SourceSide::FinishLeg(Entry& entry, room::TargetLeg& leg) {
  leg.sent = true;
  if (std::exchange(leg.announced, true)) return absl::OkStatus();
  v1::Frame frame;
  frame.set_to_worker(leg.target_worker);
  v1::Sent* sent = frame.mutable_sent();
  ToProto(leg.offer, leg.target_worker, sent->mutable_offer());
  sent->set_parts(1);
  sent->set_bytes(leg.bytes_submitted);
  sent->set_total_tokens(entry.room.tokens().total);
  sent->set_channel(leg.channel->value());
  return context_->outbox->Send(leg.peer, control::Priority::kBulk, std::move(frame));
}

void SourceSide::MaybeFinish(Entry& entry, TimePoint now) {
  if (entry.room.AllSent()) {
    entry.room.Advance(SourceEvent::kAllSent);
    entry.stages.Note(Stage::kSent, now);
    context_->metrics.Observe(MetricStage::kPost, now - entry.stage_began);
  }
  if (!entry.room.AllLanded()) return;
  entry.room.Advance(SourceEvent::kAllLanded);
  entry.stages.Note(Stage::kDone, now);
  context_->CountDone(context_->FindRank(entry.rank), now - entry.opened);
  Publish(entry, shm_abi::RoomState::kDone, true);
  MaybeErase(entry, now);
}

void SourceSide::OnLanded(PeerId peer, const v1::Landed& landed, TimePoint now) {
  size_t leg = 0;
  const v1::OfferId& id = landed.offer();
  Entry* entry = FindLeg({peer, id.worker(), FromProto(id)}, &leg);
  if (entry == nullptr || !entry->room.legs()[leg].sent) return;
  entry->room.legs()[leg].landed = true;
  MaybeFinish(*entry, now);
}

void SourceSide::OnFailed(PeerId peer, const v1::Failed& failed, TimePoint now) {
  size_t leg = 0;
  const v1::OfferId& id = failed.offer();
  const RoomKey key = FromProto(failed.room());
  Entry* offered = FindLeg({peer, id.worker(), FromProto(id)}, &leg);
  const bool named =
      offered != nullptr && offered->room.key() == key &&
      (id.serial() == 0 || offered->room.legs()[leg].serial == id.serial()) &&
      (!failed.has_target() || offered->room.legs()[leg].target == FromProto(failed.target()));
  if (named) {
    return Fail(*offered, FromDetail(failed.cause()), now, leg);
  }
  // It overtook its offer on the other stream (the offer, when it comes, is refused with this), or
  // the target failed before it could offer.
  HostedRank* rank = context_->FindRank(FromProto(failed.source()));
  if (rank == nullptr) return;
  OnFailedByKey(*rank, peer, failed,
                WordOf(peer, failed.offer(), failed.target(), failed.open_ms(), now), now);
}

void SourceSide::OnFailedByKey(HostedRank& rank, PeerId peer, const v1::Failed& failed,
                               const room::TargetWord& word, TimePoint now) {
  const RoomKey key = FromProto(failed.room());
  listeners_.Remove(rank.attached->id, key, word.voice);
  room::EndedUse* before = ended_.Find(rank.attached->id, key, now);
  if (before != nullptr && before->Covers(word)) return before->uses.Note(word);
  Entry* entry = rooms_.FindKey(rank.attached->id, key);
  // A stranger's failure is its own.
  absl::Status admitted;
  if (failed.has_target()) {
    admitted = admission_.Admit(rank.attached->id, key, entry == nullptr ? nullptr : &entry->room,
                                {peer, word.voice.target}, now);
  }
  if (entry != nullptr) {
    if (entry->room.uses().IsBeyond(word)) return;
    entry->room.uses().Note(word);
    if (!admitted.ok()) return;
    return Fail(*entry, FromDetail(failed.cause()), now);
  }
  if (!admitted.ok()) return;
  room::EndedUse told{FromDetail(failed.cause()), now, /*opened_here=*/false,
                      before != nullptr ? before->uses : room::RoomUses()};
  told.uses.Note(word);
  if (failed.has_target()) told.group = room::GroupOf(word.voice.target);
  told.recurs = key.nonce == 0;
  // For as long as the room may still be opened here, as far as the target says.
  const uint32_t left = std::min(failed.time_left_ms(), context_->limits.time_left_ms_max);
  constexpr auto kRememberMin = std::chrono::milliseconds(10000);
  ended_.Add(rank.attached->id, key, std::move(told),
             now + std::max(kRememberMin, std::chrono::milliseconds(left)), now);
}

void SourceSide::TellLost(std::pair<PeerId, uint32_t> target, transport::Transport* transport,
                          transport::ChannelId channel, const absl::Status& cause) {
  v1::Frame frame;
  frame.set_to_worker(target.second);
  v1::ChannelLost* lost = frame.mutable_channel_lost();
  lost->set_channel(channel.value());
  lost->set_source_worker(context_->index);
  lost->set_transport(std::string(transport->capabilities().name));
  *lost->mutable_cause() = ToDetail(Error(Reason::kTransport, cause.message()));
  // Behind the Sents of what went over it.
  context_->outbox->Send(target.first, control::Priority::kBulk, std::move(frame)).IgnoreError();
}

void SourceSide::OnSegmentDone(transport::Transport* transport, uint64_t cookie,
                               const absl::Status& status, TimePoint now) {
  auto it = cookies_.find(cookie);
  if (it == cookies_.end()) return;
  const LegRef ref = it->second;
  cookies_.erase(it);
  Entry* entry = rooms_.Find(ref.serial);
  if (entry == nullptr) return;
  room::TargetLeg& leg = entry->room.legs()[ref.leg];
  --leg.segments_in_flight;
  const bool waits = WaitsForChannel(leg, status);
  if (leg.segments_in_flight == 0 && leg.fence_asked) {
    leg.fence_asked = false;
    v1::OfferId id;
    ToProto(leg.offer, leg.target_worker, &id);
    id.set_serial(leg.serial);
    AnswerFence(leg.peer, id);
  }
  const SourceState state = entry->room.state();
  if (!status.ok() && !waits && IsActive(state)) {
    return Fail(
        *entry,
        Error(Reason::kTransport,
              absl::StrCat(transport->capabilities().name, ": ", status.message()), leg.target),
        now);
  }
  if (state == SourceState::kStopping) return MaybeStop(*entry, now);
  MaybeErase(*entry, now);
}

}  // namespace baton::worker
