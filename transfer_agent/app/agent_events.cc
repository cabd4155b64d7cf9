// What the agent hears from peers and registry, handed to the workers.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "common/reason.h"
#include "planner/layout_proto.h"
#include "transfer_agent/app/agent.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::agent {

using worker::FromProto;
using worker::Lane;
using worker::WorkerCore;

void Agent::OnPeerUp(const control::PeerInfo& peer) {
  LOG(INFO) << "peer " << peer.address << " is up, epoch " << peer.epoch.value();
  {
    MutexLock lock(&mu_);
    peers_[peer.id] = peer;
  }
  PostAll(Lane::kUrgent, [peer](WorkerCore& core, TimePoint) { core.OnPeerUp(peer); });
}

void Agent::OnPeerDown(PeerId peer, const absl::Status& cause) {
  {
    MutexLock lock(&mu_);
    auto it = peers_.find(peer);
    if (it == peers_.end()) return;
    LOG(WARNING) << "peer " << it->second.address << " is lost: " << cause;
    peers_.erase(it);
  }
  PostAll(Lane::kUrgent,
          [peer, cause](WorkerCore& core, TimePoint now) { core.OnPeerDown(peer, cause, now); });
}

void Agent::OnDialFailed(const std::string& address, const absl::Status& cause) {
  LOG(WARNING) << "agent at " << address << " does not answer: " << cause;
}

void Agent::OnFrame(PeerId peer, control::Priority priority, v1::Frame frame) {
  if (frame.body_case() == v1::Frame::kAnnounce) return OnAnnounce(peer, frame.announce());
  if (frame.to_worker() >= workers_.size()) return;
  const Lane lane = priority == control::Priority::kUrgent ? Lane::kUrgent : Lane::kBulk;
  worker::Worker& to = *workers_[frame.to_worker()];
  // Only an offer may begin something here: refused when the inbox is full, so that its room fails
  // and nothing else does. The rest is bounded by the offers that are out.
  std::optional<v1::OfferId> offer;
  if (frame.body_case() == v1::Frame::kOffer) offer = frame.offer().offer();
  const bool posted =
      to.Post(lane, [peer, frame = std::move(frame)](WorkerCore& core, TimePoint now) {
        core.OnFrame(peer, frame, now);
      });
  if (posted || !offer.has_value()) return;
  Refuse(peer, *offer, Error(Reason::kFull, "the inbox of the source's worker is full"));
}

void Agent::OnBadFrame(PeerId peer, const v1::Frame& frame, const absl::Status& cause) {
  if (frame.has_offer()) return Refuse(peer, frame.offer().offer(), cause);
  if (!frame.has_sent() || frame.to_worker() >= workers_.size()) return;
  // The room can't become complete: it fails now, not at its deadline.
  v1::Frame failed;
  *failed.mutable_failed()->mutable_offer() = frame.sent().offer();
  *failed.mutable_failed()->mutable_cause() = ToDetail(cause);
  auto fail = [peer, failed = std::move(failed)](WorkerCore& core, TimePoint now) {
    core.OnFrame(peer, failed, now);
  };
  workers_[frame.to_worker()]->Post(Lane::kUrgent, std::move(fail));
}

void Agent::Refuse(PeerId peer, const v1::OfferId& offer, const absl::Status& cause) {
  v1::Frame refusal;
  refusal.set_to_worker(offer.worker());
  *refusal.mutable_refused()->mutable_offer() = offer;
  *refusal.mutable_refused()->mutable_cause() = ToDetail(cause);
  links_->Send(peer, control::Priority::kUrgent, std::move(refusal)).IgnoreError();
}

void Agent::OnAnnounce(PeerId peer, const v1::Announce& announce) {
  control::PeerInfo info;
  {
    MutexLock lock(&mu_);
    auto it = peers_.find(peer);
    if (it == peers_.end()) return;
    info = it->second;
  }
  std::vector<std::shared_ptr<const worker::RemoteRank>> ranks;
  for (const v1::RankAnnouncement& said : announce.ranks()) {
    auto rank = std::make_shared<worker::RemoteRank>();
    rank->rank = FromProto(said.rank());
    auto spec = planner::FromProto(said.spec());
    auto layout = planner::FromProto(said.layout());
    if (!spec.ok() || !layout.ok()) {
      LOG(ERROR) << "peer " << info.address << " announced " << ToString(rank->rank)
                 << " with a bad layout: " << (spec.ok() ? layout.status() : spec.status());
      continue;
    }
    rank->role = static_cast<Role>(said.role());
    rank->incarnation = Incarnation(said.incarnation());
    rank->peer = peer;
    rank->epoch = info.epoch;
    rank->worker = said.worker();
    rank->host_key = said.host_key();
    rank->transports.assign(said.transports().begin(), said.transports().end());
    rank->memory_keys.assign(said.memory_keys().begin(), said.memory_keys().end());
    rank->spec = *std::move(spec);
    rank->layout = *std::move(layout);
    ranks.push_back(std::move(rank));
  }
  PostAll(Lane::kBulk,
          [peer, ranks](WorkerCore& core, TimePoint now) { core.OnAnnounce(peer, ranks, now); });
}

void Agent::SetWaitsFor(const RankRef& rank, const std::string& what) {
  MutexLock lock(&mu_);
  auto it = by_rank_.find(rank);
  if (it != by_rank_.end()) hosted_[it->second].waits_for = what;
}

void Agent::OnRegistered(const RankRef& rank, Incarnation incarnation) {
  LOG(INFO) << ToString(rank) << " is registered, incarnation " << incarnation.value();
  NoteHeard();
  SetWaitsFor(rank, "");
  PostRank(rank, [rank, incarnation](WorkerCore& core, TimePoint now) {
    core.OnRegistered(rank, incarnation, now);
  });
}

void Agent::OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool decides) {
  if (IsNews(rank, cause)) {
    LOG(WARNING) << ToString(rank) << " cannot register: " << cause << " ("
                 << ReasonHelp(ReasonOf(cause)) << ")";
  }
  registration_failures_[static_cast<size_t>(ReasonOf(cause))].Add();
  if (!decides) return NoteUnheard(std::string(cause.message()));
  SetWaitsFor(rank, std::string(cause.message()));
  PostRank(rank, [rank, cause](WorkerCore& core, TimePoint) { core.OnNotAccepting(rank, cause); });
}

bool Agent::IsNews(const RankRef& rank, const absl::Status& cause) {
  constexpr auto kAgain = std::chrono::seconds(30);
  MutexLock lock(&mu_);
  auto it = by_rank_.find(rank);
  if (it == by_rank_.end()) return false;
  Hosted& hosted = hosted_[it->second];
  const TimePoint now = Monotonic::now();
  if (hosted.said == cause && now - hosted.said_at < kAgain) return false;
  hosted.said = cause;
  hosted.said_at = now;
  return true;
}

void Agent::OnLeaseLost(const RankRef& rank) {
  LOG(WARNING) << ToString(rank)
               << ": nothing was heard of the bootstrap service for a lease time; "
               << "rooms with servers that are known go on";
  lease_losses_.Add();
  NoteUnheard("it does not answer");
}

void Agent::NoteUnheard(const std::string& why) {
  MutexLock lock(&mu_);
  if (unheard_.empty()) unheard_since_ = Monotonic::now();
  unheard_ = why;
}

void Agent::NoteHeard() {
  MutexLock lock(&mu_);
  unheard_.clear();
}

void Agent::OnServer(const std::shared_ptr<const v1::ServerRecord>& server) {
  auto view = std::make_shared<worker::ServerView>();
  view->name = server->name();
  view->incarnation = Incarnation(server->incarnation());
  view->role = static_cast<Role>(server->role());
  view->draining = server->state() == v1::SERVER_STATE_DRAINING;
  view->model = server->model();
  const auto revision = server->labels().find("revision");
  if (revision != server->labels().end()) view->revision = revision->second;
  auto spec = planner::FromProto(server->spec());
  if (!spec.ok()) {
    LOG(ERROR) << "server " << server->name() << " has a bad spec: " << spec.status();
    return;
  }
  view->spec = *std::move(spec);
  for (const v1::RankRecord& rank : server->ranks()) {
    const v1::RankCoord& c = rank.coord();
    view->addresses[{c.dp(), c.pp(), c.cp(), c.tp()}] = rank.agent_address();
    view->epochs[{c.dp(), c.pp(), c.cp(), c.tp()}] = Epoch(rank.epoch());
  }
  view->aliases.assign(server->aliases().begin(), server->aliases().end());
  std::shared_ptr<const worker::ServerView> shared = view;
  PostAll(Lane::kBulk, [shared](WorkerCore& core, TimePoint now) { core.OnServer(shared, now); });
}

void Agent::OnServerRemoved(const std::string& name) {
  PostAll(Lane::kBulk, [name](WorkerCore& core, TimePoint) { core.OnServerRemoved(name); });
}

absl::Status Agent::Send(PeerId peer, control::Priority priority, v1::Frame frame) {
  return links_->Send(peer, priority, std::move(frame));
}

void Agent::Dial(const std::string& address) { links_->Dial(address); }

void Agent::LookupRoom(uint32_t worker, uint64_t token, const std::string& server,
                       const RoomKey& room, std::chrono::milliseconds wait) {
  directory_->LookupRoom(server, room, wait, [this, worker, token](absl::StatusOr<uint32_t> dp) {
    workers_[worker]->Post(Lane::kBulk, [token, dp](WorkerCore& core, TimePoint now) {
      core.OnLookup(token, dp, now);
    });
  });
}

void Agent::BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                     std::chrono::milliseconds ttl) {
  directory_->BindRoom(server, room, dp, ttl);
}

void Agent::RoomOver(const std::string& server, const RoomKey& room) {
  directory_->RoomOver(server, room);
}

}  // namespace baton::agent
