// A decode room before its pages: its sources know that it waits, and it hears of their end.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "planner/cursor.h"
#include "transfer_agent/worker/target_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

using room::TargetState;

// Which ranks will send depends on the tokens: all that could are told.
void TargetSide::AnnounceRoom(const HostedRank& rank, Entry& entry, const ServerView& server,
                              TimePoint now) {
  if (!entry.room.listens_to().empty()) return;
  std::vector<std::shared_ptr<const RemoteRank>> sources;
  const shm_abi::OpenReceive& request = entry.room.request();
  bool complete = true;
  for (const RankCoord& coord : finder_->AnyOf(rank, server, *request.prefill_dp)) {
    finder_->Dial(server, coord);
    auto source = finder_->Find(server, coord);
    complete = complete && source.ok();
    if (source.ok()) sources.push_back(*std::move(source));
  }
  if (!complete) return;
  const uint64_t use = ++last_serial_;
  announced_[use] = entry.serial;
  for (const auto& source : sources)
    entry.room.listens_to().push_back({source->rank, source->peer});
  entry.room.SetUse(use);
  entry.stages.Note(room::Stage::kFound, now);
  for (const auto& source : sources) {
    v1::Frame frame;
    frame.set_to_worker(source->worker);
    v1::Announced* announced = frame.mutable_announced();
    announced->mutable_offer()->set_worker(context_->index);
    announced->mutable_offer()->set_serial(use);
    ToProto(entry.room.key(), announced->mutable_room());
    ToProto(source->rank, announced->mutable_source());
    ToProto(rank.ref(), announced->mutable_target());
    announced->set_source_incarnation(source->incarnation.value());
    announced->set_source_epoch(source->epoch.value());
    announced->set_time_left_ms(MillisLeft(entry.deadline, now));
    announced->set_open_ms(MillisSince(entry.opened, now));
    absl::Status sent =
        context_->outbox->Send(source->peer, control::Priority::kBulk, std::move(frame));
    if (!sent.ok()) return Fail(entry, Error(ReasonOf(sent), sent.message(), source->rank), now);
  }
}

void TargetSide::OnSourceState(PeerId peer, const v1::SourceState& state, TimePoint now) {
  auto it = announced_.find(state.offer().serial());
  Entry* entry = it == announced_.end() ? nullptr : rooms_.Find(it->second);
  if (entry == nullptr) return;
  // Numbers can be guessed: only who was told of the room speaks of it.
  const auto& told = entry->room.listens_to();
  if (std::none_of(told.begin(), told.end(), [&](const room::TargetRoom::Source& source) {
        return source.peer == peer && source.rank == FromProto(state.source());
      })) {
    return;
  }
  if (state.has_cause()) return Fail(*entry, FromDetail(state.cause()), now);
  if (!state.complete() || entry->room.state() != TargetState::kLooking) return;
  absl::Status status = entry->room.SourceComplete(FromProto(state.source()), state.total_tokens());
  if (!status.ok()) return Fail(*entry, status, now);
  if (entry->room.sources_complete()) Publish(*entry, shm_abi::RoomState::kOpen, false);
}

bool TargetSide::Provide(HostedRank& rank, shm_abi::Provide provide, TimePoint now) {
  Entry* entry = rooms_.FindSlot(rank.attached->id, provide.slot);
  if (entry == nullptr) return false;
  // A room that has failed meanwhile: the table says why.
  if (entry->room.state() != TargetState::kLooking) return true;
  if (!entry->room.request().announced) {
    Fail(*entry, Error(Reason::kBadMessage, "Provide for a room that has its pages", rank.ref()),
         now);
    return true;
  }
  absl::Status status = entry->room.Provide(std::move(provide));
  if (status.ok()) status = CheckPages(rank, entry->room.request());
  if (status.ok()) {
    TryOffer(*entry, now);
  } else {
    Fail(*entry, Error(ReasonOf(status), status.message(), rank.ref()), now);
  }
  return true;
}

}  // namespace baton::worker
