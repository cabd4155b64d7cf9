// An offer as it arrives at its source: checked against what both sides announced, then joined with
// the engine's room. The slow path of a prefill room.
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "planner/cursor.h"
#include "planner/page_list.h"
#include "transfer_agent/worker/rank_table.h"
#include "transfer_agent/worker/source_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {
namespace {

planner::RoomTokens TokensOf(const v1::Offer& offer) {
  return {offer.total_tokens(), offer.prefix_tokens()};
}

planner::RoutePolicy PolicyOf(const v1::Offer& offer) {
  return {static_cast<planner::HolderPolicy>(offer.policy().tp_holder()),
          static_cast<planner::HolderPolicy>(offer.policy().cp_holder())};
}

// Runs of pages over cp ranks are cut by the room's length: without it nobody knows his own tokens.
absl::Status CheckTotalCanCome(const HostedRank& rank, const shm_abi::OpenSend& request) {
  const planner::ServerSpec& spec = rank.attached->spec;
  const bool runs = spec.cp_sharding == planner::CpSharding::kContiguous ||
                    spec.cp_sharding == planner::CpSharding::kZigzag;
  if (request.total_tokens.has_value() || spec.sizes.cp == 1 || !runs) return absl::OkStatus();
  return Error(Reason::kBadChunk,
               "tokens lie in runs over the cp ranks, whose ends follow from the total: name "
               "total_tokens in OpenSend",
               rank.ref());
}

absl::Status CheckOpening(const HostedRank& rank, const shm_abi::OpenSend& request,
                          const WorkerLimits& limits) {
  if (!rank.MayOpen()) return rank.not_accepting;
  if (absl::Status status = CheckTotalCanCome(rank, request); !status.ok()) return status;
  const uint64_t total = request.total_tokens.value_or(0);
  if (total <= limits.total_tokens_max && request.time_left_ms <= limits.time_left_ms_max) {
    return absl::OkStatus();
  }
  return Error(Reason::kTooLarge,
               absl::StrCat("total tokens ", total, " (at most ", limits.total_tokens_max,
                            "), or time left above 24 hours"),
               rank.ref());
}

}  // namespace

void SourceSide::OnOffer(PeerId peer, const v1::Offer& offer, TimePoint now) {
  const v1::OfferId& id = offer.offer();
  if (!offer.spare() && early_fences_.Take(peer, id.worker(), id.serial())) {
    return Refuse(peer, offer, Error(Reason::kAborted, "the target fenced the offer"));
  }
  const RankRef source = FromProto(offer.source());
  HostedRank* rank = context_->FindRank(source);
  if (rank == nullptr) {
    return Refuse(peer, offer,
                  Error(Reason::kPeerLost, "no engine of this rank is attached", source));
  }
  room::TargetWord word = WordOf(peer, offer.offer(), offer.target(), offer.open_ms(), now);
  if (offer.use() != 0) word.serial = offer.use();
  auto leg = CheckOffer(*rank, peer, offer);
  const uint64_t bytes = HeldOffers::BytesOf(leg.ok() ? *leg : room::TargetLeg());
  auto entry = RoomOf(*rank, peer, offer, word, bytes, now);
  if (!entry.ok()) return Refuse(peer, offer, entry.status());
  (*entry)->room.uses().Note(word);
  (*entry)->room.Claim(room::GroupOf(word.voice.target));
  listeners_.Remove(rank->attached->id, (*entry)->room.key(), word.voice);
  const RoomSerial serial = (*entry)->serial;
  absl::Status status = Join(*rank, **entry, peer, offer, std::move(leg), now);
  if (status.ok() && (*entry)->room.state() == room::SourceState::kHeld) {
    status = context_->held.Add(serial, rank->attached->id, peer, bytes);
  }
  if (!status.ok()) {
    Refuse(peer, offer, status);
    // The target fails by the refusal; the room here fails with it, so that both sides learn.
    Fail(**entry, status, now);
    if (Entry* left = rooms_.Find(serial)) MaybeErase(*left, now);
    return;
  }
  (*entry)->stages.Note(room::Stage::kOffered, now);
  if ((*entry)->room.state() == room::SourceState::kMatched) Matched(**entry, now);
}

absl::Status SourceSide::Join(HostedRank& rank, Entry& entry, PeerId peer, const v1::Offer& offer,
                              absl::StatusOr<room::TargetLeg> leg, TimePoint now) {
  if (!leg.ok()) return leg.status();
  const planner::RoomTokens tokens = TokensOf(offer);
  if (offer.spare()) return entry.room.OfferedSpare(leg->target, tokens);
  auto target = context_->remote_ranks.FindFrom(peer, leg->target);
  const OfferKey key{peer, leg->target_worker, leg->offer};
  if (legs_.contains(key)) {
    return Error(Reason::kBadMessage, "the offer's slot is in use", leg->target);
  }
  auto expected = planner::TargetsOf(rank.attached->spec, rank.coord(), target->spec,
                                     leg->target.coord.dp, PolicyOf(offer), tokens);
  auto added = entry.room.Offered(*std::move(leg), tokens, expected);
  if (!added.ok()) return added.status();
  legs_[key] = {entry.serial, entry.room.legs().size() - 1};
  auto channel = context_->channels.Get(peer, (*added)->target_worker, (*added)->transport, now);
  if (!channel.ok()) return channel.status();
  (*added)->channel = *channel;
  return absl::OkStatus();
}

absl::StatusOr<room::TargetLeg> SourceSide::CheckOffer(HostedRank& rank, PeerId peer,
                                                       const v1::Offer& offer) {
  const RankRef target_ref = FromProto(offer.target());
  auto target = context_->remote_ranks.FindFrom(peer, target_ref);
  if (target == nullptr || target->role != Role::kDecode) {
    return Error(Reason::kBadMessage, "the offer's target was not announced by its agent",
                 target_ref);
  }
  if (offer.offer().worker() != target->worker) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("the offer's target was announced at worker ", target->worker,
                              ", not ", offer.offer().worker()),
                 target_ref);
  }
  if (offer.target_incarnation() != target->incarnation.value()) {
    return Error(Reason::kStaleIncarnation, "the target is of another incarnation", target_ref);
  }
  if (offer.source_incarnation() != rank.incarnation.value()) {
    return Error(Reason::kStaleIncarnation,
                 absl::StrCat("offered to incarnation ", offer.source_incarnation(), ", this is ",
                              rank.incarnation.value()),
                 rank.ref());
  }
  if (offer.source_epoch() != context_->epoch.value()) {
    return Error(Reason::kStaleEpoch, "this agent has restarted", rank.ref());
  }
  const planner::RoomTokens tokens = TokensOf(offer);
  if (tokens.total > context_->limits.total_tokens_max || tokens.prefix > tokens.total) {
    return Error(Reason::kBadMessage, "the offer's tokens are out of range", target_ref);
  }
  room::TargetLeg leg;
  leg.target = target_ref;
  leg.peer = peer;
  leg.target_worker = offer.offer().worker();
  leg.offer = FromProto(offer.offer());
  leg.serial = offer.offer().serial();
  if (offer.spare()) return leg;
  leg.transport = context_->FindTransport(offer.transport());
  if (leg.transport == nullptr) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("transport '", offer.transport(), "' is not on at this source"),
                 rank.ref());
  }
  if (const absl::Status& no = rank.refused[context_->IndexOf(leg.transport)]; !no.ok()) {
    return Error(Reason::kNoTransport, no.message(), rank.ref());
  }
  context_->NotePath(peer, *leg.transport, "chosen by the target");
  auto plan = context_->plans.ToTarget(rank, target, PolicyOf(offer));
  if (!plan.ok()) return plan.status();
  if (offer.planner_version() != planner::kPlannerVersionMax ||
      offer.plan_hash() != (*plan)->hash) {
    return Error(
        Reason::kPlanDiffers,
        absl::StrCat("source and target planned differently (planner version ",
                     planner::kPlannerVersionMax, " here, ", offer.planner_version(), " there)"),
        target_ref);
  }
  leg.plan = *std::move(plan);
  if (absl::Status status = DecodePages(*target, offer, &leg); !status.ok()) return status;
  leg.bytes_expected = planner::RoomBytes(*leg.plan, tokens, leg.state_rows);
  auto remote = ImportMemory(target, leg.transport);
  if (!remote.ok()) return remote.status();
  leg.remote = *remote;
  return leg;
}

absl::Status SourceSide::DecodePages(const RemoteRank& target, const v1::Offer& offer,
                                     room::TargetLeg* leg) {
  planner::SidePages side;
  side.first_token = offer.prefix_tokens();
  for (const v1::PageList& list : offer.pages()) {
    auto pages = planner::DecodePages(list.pages(), shm_abi::kPagesMax);
    if (!pages.ok()) return pages.status();
    leg->pages.push_back(*std::move(pages));
  }
  for (const auto& list : leg->pages) side.pages.push_back(list);
  leg->state_rows.assign(offer.state_rows().begin(), offer.state_rows().end());
  side.state_rows = leg->state_rows;
  side.aux_row = offer.aux_row();
  leg->side.aux_row = offer.aux_row();
  return planner::ValidatePages(target.spec, target.rank.coord, target.layout, side,
                                offer.prefix_tokens(), offer.total_tokens(), offer.total_tokens(),
                                /*with_rows=*/true);
}

absl::StatusOr<transport::RemoteMemoryId> SourceSide::ImportMemory(
    const std::shared_ptr<const RemoteRank>& target, transport::Transport* transport) {
  const auto key = std::make_pair(target.get(), transport);
  if (auto it = imports_.find(key); it != imports_.end()) return it->second.second;
  std::string memory_key;
  for (size_t i = 0; i < target->transports.size() && i < target->memory_keys.size(); ++i) {
    if (target->transports[i] != transport->capabilities().name) continue;
    memory_key = target->memory_keys[i];
  }
  auto remote = transport->ImportMemory(target->peer, memory_key);
  if (!remote.ok()) return remote.status();
  imports_[key] = {target, *remote};
  return remote;
}

void SourceSide::Refuse(PeerId peer, const v1::Offer& offer, const absl::Status& cause) {
  if (offer.spare()) return;
  v1::Frame frame;
  frame.set_to_worker(offer.offer().worker());
  *frame.mutable_refused()->mutable_offer() = offer.offer();
  *frame.mutable_refused()->mutable_cause() = ToDetail(cause);
  context_->outbox->Send(peer, control::Priority::kUrgent, std::move(frame)).IgnoreError();
}

void SourceSide::Open(HostedRank& rank, const shm_abi::OpenSend& request, TimePoint now) {
  auto refuse = [&](const absl::Status& cause) {
    context_->metrics.CountRefused(rank.attached->role, ReasonOf(cause));
    PublishRefusal(rank, request.slot, cause);
  };
  if (rank.attached->role != Role::kPrefill) {
    return refuse(Error(Reason::kBadMessage, "OpenSend on a decode rank", rank.ref()));
  }
  if (absl::Status status = CheckOpening(rank, request, context_->limits); !status.ok()) {
    refuse(status);
    return TellRefused(rank, request, status, now);
  }
  Entry* entry = rooms_.FindKey(rank.attached->id, request.room);
  const bool held = entry != nullptr && entry->room.state() == room::SourceState::kHeld;
  room::EndedUse* ended = ended_.Find(rank.attached->id, request.room, now);
  if (entry == nullptr && ended != nullptr && !ended->opened_here) {
    // Targets that still look the room up learn the cause by their offers.
    BindRoom(rank, request);
    // This was its use: the engine may use the id again.
    ended->opened_here = true;
    ended->ended = now;
    return refuse(ended->outcome);
  }
  if (entry != nullptr && IsTerminal(entry->room.state()) && !entry->slot.has_value()) {
    entry = nullptr;  // closed, and over but for what its transport has to say
  }
  if (entry != nullptr && !held) {
    return refuse(Error(Reason::kRoomInUse,
                        absl::StrCat("room ", ToString(request.room),
                                     " is open here, or its pages are not released yet"),
                        rank.ref()));
  }
  if (context_->OpenRoomsOf(rank) >= context_->limits.rooms_per_rank_max) {
    const absl::Status full = Error(Reason::kFull, "too many rooms are open", rank.ref());
    refuse(full);
    return TellRefused(rank, request, full, now);
  }
  const TimePoint deadline = now + std::chrono::milliseconds(request.time_left_ms);
  if (entry == nullptr) {
    entry = &rooms_.Add(rank.attached->id, room::SourceRoom(request.room, room::SourceState::kOpen),
                        now, deadline);
    ++rank.rooms;
    listeners_.NoteIn(rank.attached->id, request.room, &entry->room.uses());
  } else {
    entry->deadline = deadline;
  }
  context_->deadlines.Add(deadline, entry->serial);
  rooms_.BindSlot(*entry, request.slot);
  entry->stages.Note(room::Stage::kOpened, now);
  Publish(*entry, shm_abi::RoomState::kOpen, false);
  BindRoom(rank, request);
  if (absl::Status status = entry->room.Opened(request.total_tokens); !status.ok()) {
    return Fail(*entry, status, now);  // still held: counted down there
  }
  if (held) context_->held.Remove(entry->serial);
  if (entry->room.state() == room::SourceState::kMatched) Matched(*entry, now);
}

bool SourceSide::TellsRegistry(const HostedRank& rank) {
  const RankCoord& coord = rank.coord();
  return rank.attached->spec.sizes.dp > 1 && coord.pp == 0 && coord.cp == 0 && coord.tp == 0;
}

void SourceSide::BindRoom(const HostedRank& rank, const shm_abi::OpenSend& request) {
  if (!TellsRegistry(rank)) return;
  context_->outbox->BindRoom(rank.ref().server, request.room, rank.coord().dp,
                             std::chrono::milliseconds(request.time_left_ms));
}

}  // namespace baton::worker
