// From OpenReceive to the offers: the slow path of a decode room.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "planner/cursor.h"
#include "planner/page_list.h"
#include "transfer_agent/worker/rank_table.h"
#include "transfer_agent/worker/target_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {
namespace {

planner::RoutePolicy PolicyOf(const shm_abi::OpenReceive& request) {
  return {static_cast<planner::HolderPolicy>(request.tp_holder),
          static_cast<planner::HolderPolicy>(request.cp_holder)};
}

planner::SidePages SideOf(const shm_abi::OpenReceive& request) {
  planner::SidePages side;
  side.first_token = request.prefix_tokens;
  for (const auto& list : request.pages) side.pages.push_back(list);
  side.state_rows = request.state_rows;
  side.aux_row = request.aux_row;
  return side;
}

}  // namespace

void TargetSide::Open(HostedRank& rank, shm_abi::OpenReceive request, TimePoint now) {
  const shm_abi::SlotRef slot = request.slot;
  if (absl::Status status = CheckRequest(rank, request); !status.ok()) {
    context_->metrics.CountRefused(rank.attached->role, ReasonOf(status));
    PublishRefusal(rank, slot, status);
    const auto time_left = std::min(request.time_left_ms, context_->limits.time_left_ms_max);
    // Of an id that is in use, the sources may have the other room.
    if (rank.attached->role == Role::kDecode && ReasonOf(status) != Reason::kRoomInUse) {
      TellSources(rank, request, status, now, now + std::chrono::milliseconds(time_left), 0, now);
    }
    return;
  }
  // What was to be told of an earlier use has nobody left to be told to.
  untold_.Forget(rank.ref(), request.room);
  const TimePoint deadline = now + std::chrono::milliseconds(request.time_left_ms);
  Entry& entry = rooms_.Add(rank.attached->id, room::TargetRoom(std::move(request)), now, deadline);
  rooms_.BindSlot(entry, slot);
  entry.stages.Note(room::Stage::kOpened, now);
  ++rank.rooms;
  context_->deadlines.Add(deadline, entry.serial);
  const shm_abi::OpenReceive& asked = entry.room.request();
  looking_[asked.prefill_server].insert(entry.serial);
  Publish(entry, shm_abi::RoomState::kOpen, false);
  TryOffer(entry, now);
}

absl::Status TargetSide::CheckRequest(const HostedRank& rank, const shm_abi::OpenReceive& request) {
  if (rank.attached->role != Role::kDecode) {
    return Error(Reason::kBadMessage, "OpenReceive on a prefill rank", rank.ref());
  }
  if (!rank.MayOpen()) return rank.not_accepting;
  const Entry* other = rooms_.FindKey(rank.attached->id, request.room);
  if (other != nullptr && (other->slot.has_value() || !room::IsTerminal(other->room.state()))) {
    return Error(Reason::kRoomInUse,
                 absl::StrCat("room ", ToString(request.room),
                              " is open here, or its pages are not released yet"),
                 rank.ref());
  }
  if (request.time_left_ms > context_->limits.time_left_ms_max) {
    return Error(Reason::kTooLarge, "time left is above 24 hours", rank.ref());
  }
  if (context_->OpenRoomsOf(rank) >= context_->limits.rooms_per_rank_max) {
    return Error(Reason::kFull, "too many rooms are open", rank.ref());
  }
  return request.announced ? absl::OkStatus() : CheckPages(rank, request);
}

absl::Status TargetSide::CheckPages(const HostedRank& rank,
                                    const shm_abi::OpenReceive& request) const {
  if (request.total_tokens > context_->limits.total_tokens_max ||
      request.prefix_tokens > request.total_tokens) {
    return Error(Reason::kBadChunk,
                 absl::StrCat("prefix ", request.prefix_tokens, " of total ", request.total_tokens,
                              " tokens (at most ", context_->limits.total_tokens_max, ")"),
                 rank.ref());
  }
  return planner::ValidatePages(rank.attached->spec, rank.coord(), rank.attached->layout,
                                SideOf(request), request.prefix_tokens, request.total_tokens,
                                request.total_tokens, /*with_rows=*/true);
}

void TargetSide::OnLookup(RoomSerial serial, const absl::StatusOr<uint32_t>& dp, TimePoint now) {
  Entry* entry = rooms_.Find(serial);
  if (entry == nullptr || entry->room.state() != room::TargetState::kLooking) return;
  if (!dp.ok()) return Fail(*entry, dp.status(), now);
  entry->room.SetPrefillDp(*dp);
  TryOffer(*entry, now);
}

void TargetSide::OnServer(const ServerView& server, TimePoint now) {
  untold_.OnNews(now);
  RetryLooking(server.name, now);
  for (const std::string& alias : server.aliases) RetryLooking(alias, now);
}

void TargetSide::RetryLooking(const std::string& name, TimePoint now) {
  auto it = looking_.find(name);
  if (it == looking_.end()) return;
  const std::set<RoomSerial> waiting = it->second;
  for (RoomSerial serial : waiting) {
    if (Entry* entry = rooms_.Find(serial)) TryOffer(*entry, now);
  }
}

void TargetSide::OnRemoteRanks(TimePoint now) {
  untold_.OnNews(now);
  std::vector<std::string> names;
  for (const auto& [name, waiting] : looking_) names.push_back(name);
  for (const std::string& name : names) RetryLooking(name, now);
}

void TargetSide::TryOffer(Entry& entry, TimePoint now) {
  const shm_abi::OpenReceive& request = entry.room.request();
  HostedRank* rank = context_->FindRank(entry.rank);
  // A rank that the registry has not answered yet has no incarnation to offer under.
  if (entry.room.state() != room::TargetState::kLooking || rank->incarnation == Incarnation()) {
    return;
  }
  const auto server = context_->servers.Find(request.prefill_server);
  if (server == nullptr) return;
  // A server of one dp rank needs no look-up: its sources bind no rooms.
  if (!request.prefill_dp.has_value() && server->spec.sizes.dp == 1) {
    entry.room.SetPrefillDp(0);
  }
  if (!request.prefill_dp.has_value()) return AskForDp(entry, *server, now);
  if (absl::Status status = finder_->CheckServer(*rank, server, *request.prefill_dp);
      !status.ok()) {
    return Fail(entry, status, now);
  }
  if (request.announced) return AnnounceRoom(*rank, entry, *server, now);
  auto sources = FindSources(*rank, entry, *server);
  if (!sources.ok()) return Fail(entry, sources.status(), now);
  if (!sources->has_value()) return;
  StopLooking(entry);
  entry.stages.Note(room::Stage::kFound, now);
  if (absl::Status status = MakeOffers(*rank, entry, **sources, now); !status.ok()) {
    return Fail(entry, status, now);
  }
  entry.room.OffersOut();
  entry.stages.Note(room::Stage::kOffered, now);
  context_->metrics.Observe(MetricStage::kOffer, now - entry.opened);
  entry.stage_began = now;
  Publish(entry, shm_abi::RoomState::kOffered, false);
  MaybeLand(entry, now);
}

void TargetSide::StopLooking(const Entry& entry) {
  auto it = looking_.find(entry.room.request().prefill_server);
  if (it == looking_.end()) return;
  it->second.erase(entry.serial);
  if (it->second.empty()) looking_.erase(it);
}

void TargetSide::AskForDp(Entry& entry, const ServerView& server, TimePoint now) {
  if (!entry.room.AskForDpOnce()) return;
  // Rooms are bound under the server's own name. The answer may end the room.
  context_->outbox->LookupRoom(context_->index, entry.serial, server.name, entry.room.key(),
                               std::chrono::milliseconds(MillisLeft(entry.deadline, now)));
}

absl::StatusOr<std::optional<Sources>> TargetSide::FindSources(const HostedRank& rank,
                                                               const Entry& entry,
                                                               const ServerView& server) {
  const shm_abi::OpenReceive& request = entry.room.request();
  const SourceCoords coords =
      finder_->CoordsOf(rank, server, *request.prefill_dp, PolicyOf(request), entry.room.tokens());
  Sources found;
  bool complete = true;
  auto find = [&](const std::vector<RankCoord>& wanted,
                  std::vector<std::shared_ptr<const RemoteRank>>* out) {
    for (const RankCoord& coord : wanted) {
      finder_->Dial(server, coord);
      auto remote = finder_->Find(server, coord);
      complete = complete && remote.ok();
      if (remote.ok()) out->push_back(*std::move(remote));
    }
  };
  find(coords.senders, &found.senders);
  find(coords.spares, &found.spares);
  if (!complete) return std::optional<Sources>();
  return std::optional<Sources>(std::move(found));
}

absl::Status TargetSide::MakeOffers(HostedRank& rank, Entry& entry, const Sources& sources,
                                    TimePoint now) {
  const planner::RoutePolicy policy = PolicyOf(entry.room.request());
  // Legs must not move once windows borrow from them.
  entry.room.legs().reserve(sources.senders.size());
  for (const auto& source : sources.senders) {
    absl::StatusOr<transport::Transport*> transport = CommonTransport(*context_, rank, *source);
    if (!transport.ok()) return transport.status();
    context_->NotePath(source->peer, **transport,
                       source->host_key == context_->host_key ? "same host" : "another host");
    auto plan = context_->plans.FromSource(source, rank, policy);
    if (!plan.ok()) return plan.status();
    if (absl::Status status = AddLeg(rank, entry, *source, *std::move(plan), *transport);
        !status.ok()) {
      return status;
    }
  }
  // Offers go out only when every window is open.
  for (size_t i = 0; i < sources.senders.size(); ++i) {
    absl::Status status = SendOffer(rank, entry, *sources.senders[i], &entry.room.legs()[i], now);
    if (!status.ok()) return status;
  }
  for (const auto& spare : sources.spares) {
    if (absl::Status status = SendOffer(rank, entry, *spare, nullptr, now); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status TargetSide::AddLeg(HostedRank& rank, Entry& entry, const RemoteRank& source,
                                std::shared_ptr<const planner::PairPlan> plan,
                                transport::Transport* transport) {
  auto offer = slots_[source.peer].Acquire();
  if (!offer.has_value()) {
    return Error(Reason::kFull, "65536 offers to this agent are open", source.rank);
  }
  room::SourceLeg leg;
  leg.source = source.rank;
  leg.peer = source.peer;
  leg.source_worker = source.worker;
  leg.offer = *offer;
  leg.serial = ++last_serial_;
  leg.transport = transport;
  leg.plan = std::move(plan);
  leg.bytes_expected =
      planner::RoomBytes(*leg.plan, entry.room.tokens(), entry.room.request().state_rows);
  transport::Window window;
  window.peer = source.peer;
  window.offer = *offer;
  window.memory = rank.memory[context_->IndexOf(transport)].id;
  window.plan = leg.plan.get();
  window.tokens = entry.room.tokens();
  window.pages = SideOf(entry.room.request());
  window.checksums = context_->checksums;
  if (absl::Status status = transport->OpenWindow(std::move(window)); !status.ok()) {
    slots_[source.peer].Release(*offer);
    return status;
  }
  legs_[{source.peer, *offer}] = {entry.serial, entry.room.legs().size()};
  entry.room.legs().push_back(std::move(leg));
  return absl::OkStatus();
}

absl::Status TargetSide::SendOffer(const HostedRank& rank, const Entry& entry,
                                   const RemoteRank& source, const room::SourceLeg* leg,
                                   TimePoint now) {
  const shm_abi::OpenReceive& request = entry.room.request();
  v1::Frame frame;
  frame.set_to_worker(source.worker);
  v1::Offer* offer = frame.mutable_offer();
  offer->mutable_offer()->set_worker(context_->index);
  ToProto(request.room, offer->mutable_room());
  ToProto(source.rank, offer->mutable_source());
  ToProto(rank.ref(), offer->mutable_target());
  offer->set_source_incarnation(source.incarnation.value());
  offer->set_target_incarnation(rank.incarnation.value());
  offer->set_source_epoch(source.epoch.value());
  offer->mutable_policy()->set_tp_holder(static_cast<v1::HolderPolicy>(request.tp_holder));
  offer->mutable_policy()->set_cp_holder(static_cast<v1::HolderPolicy>(request.cp_holder));
  offer->set_total_tokens(request.total_tokens);
  offer->set_prefix_tokens(request.prefix_tokens);
  offer->set_time_left_ms(MillisLeft(entry.deadline, now));
  offer->set_open_ms(MillisSince(entry.opened, now));
  offer->set_use(entry.room.use());
  if (leg == nullptr) {
    offer->set_spare(true);
    offer->mutable_offer()->set_serial(++last_serial_);
    return context_->outbox->Send(source.peer, control::Priority::kBulk, std::move(frame));
  }
  ToProto(leg->offer, context_->index, offer->mutable_offer());
  offer->mutable_offer()->set_serial(leg->serial);
  offer->set_planner_version(planner::kPlannerVersionMax);
  offer->set_plan_hash(leg->plan->hash);
  offer->set_transport(std::string(leg->transport->capabilities().name));
  for (const auto& list : request.pages) {
    offer->add_pages()->set_pages(planner::EncodePages(list));
  }
  for (uint32_t row : request.state_rows) offer->add_state_rows(row);
  offer->set_aux_row(request.aux_row);
  return context_->outbox->Send(source.peer, control::Priority::kBulk, std::move(frame));
}

}  // namespace baton::worker
