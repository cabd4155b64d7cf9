#include "tests/simulation/agent.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "planner/layout_proto.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::sim {
namespace {

RegistrarOptions OptionsOf(uint32_t host, Epoch epoch) {
  RegistrarOptions options;
  options.bootstrap_address = kBootstrapAddress;
  options.agent_address = Agent::AddressOf(host);
  options.epoch = epoch;
  return options;
}

}  // namespace

std::string Agent::AddressOf(uint32_t host) { return absl::StrCat("pod", host, kControlPort); }

Agent::Agent(Network* network, Bootstrap* bootstrap, uint32_t host, const PathTraits& path)
    : network_(network),
      world_(network->world()),
      bootstrap_(bootstrap),
      process_(world_.NewProcess(absl::StrCat("agent", host), host)),
      epoch_(world_.random.Next() | 1),
      transport_(network, process_, absl::StrCat("pod", host, SimTransport::kDataPort), path,
                 [this] { Wake(); }),
      core_(std::make_unique<worker::WorkerCore>(
          0, epoch_, absl::StrCat("host", host), worker::WorkerLimits(), path.checksums,
          std::vector<transport::Transport*>{&transport_}, this,
          [this](std::vector<v1::RankAnnouncement> ranks) {
            v1::Announce all;
            for (v1::RankAnnouncement& rank : ranks) *all.add_ranks() = std::move(rank);
            links_.SetAnnounced(std::move(all));
          })),
      links_(network, process_, AddressOf(host), epoch_, this),
      registrar_(OptionsOf(host, epoch_), this, epoch_.value()),
      rooms_(5 * kSecond, epoch_.value()),
      watch_backoff_(50 * kMilli, 5 * kSecond, epoch_.value()) {
  BeginWatch();
}

absl::StatusOr<attach::AttachmentId> Agent::Attach(const Guest& guest) {
  if (draining_) return Error(Reason::kDraining, "this agent is draining", guest.rank);
  for (const auto& [id, hosted] : hosted_) {
    if (hosted.rank == guest.rank) return Error(Reason::kSettling, "another engine is attached");
  }
  if (core_->IsReleasing(guest.rank)) return Error(Reason::kSettling, "its rooms are fenced");
  auto rank = std::make_unique<attach::AttachedRank>();
  const attach::AttachmentId id(++last_attachment_);
  rank->id = id;
  rank->rank = guest.rank;
  rank->role = guest.role;
  rank->launch_id = guest.launch_id;
  rank->model = "model";
  RankRegistration registration;
  registration.rank = guest.rank;
  registration.role = guest.role;
  registration.launch_id = guest.launch_id;
  registration.model = "model";
  registration.spec = guest.pool->spec();
  rank->spec = guest.pool->spec();
  rank->layout = guest.pool->layout();
  rank->regions.emplace_back(UniqueFd(), nullptr, guest.pool->bytes(), /*dma_buf=*/false);
  rank->ring = std::make_unique<SimRing>(guest.shared);
  rank->table = std::make_unique<SimTable>(guest.shared);
  transport_.NextExport(guest.pool);
  absl::Status status = core_->AddRank(std::move(rank));
  if (!status.ok()) return status;
  hosted_[id] = {guest.rank, guest.ended};
  registrar_.Add(std::move(registration), world_.now());
  StepRegistrar();
  return id;
}

void Agent::EngineLeft(attach::AttachmentId id) {
  auto it = hosted_.find(id);
  if (it == hosted_.end()) return;
  const RankRef rank = it->second.rank;
  hosted_.erase(it);
  GiveBack(registrar_.Remove(rank));
  PostUrgent([this, id] { core_->EngineGone(id, world_.now()); });
}

void Agent::Detach(attach::AttachmentId id) {
  auto it = hosted_.find(id);
  if (it == hosted_.end()) return;
  it->second.ended();
  EngineLeft(id);
}

void Agent::BeginDrain() {
  draining_ = true;
  for (const auto& [id, hosted] : hosted_) {
    core_->OnNotAccepting(hosted.rank, Error(Reason::kDraining, "this agent is draining"));
    GiveBack(registrar_.Remove(hosted.rank));
  }
  Wake();
}

void Agent::Leave() {
  while (!hosted_.empty()) Detach(hosted_.begin()->first);
  // When the worker has failed what was open.
  world_.RunAfter(process_, kMilli, [this] {
    left_ = true;
    if (on_left_) on_left_();
    links_.Leave("it was told to end");
  });
}

bool Agent::Knows(const RankRef& source, const Agent& at) const {
  auto server = core_->context().servers.Find(source.server);
  const worker::HostedRank* rank = at.core_->context().FindRank(source);
  if (server == nullptr || rank == nullptr) return false;
  if (server->incarnation != rank->incarnation) return false;
  return links_.Settled(AddressOf(at.process_->host), at.epoch_);
}

bool Agent::HasPeer(Epoch epoch) const {
  for (const auto& [id, peer] : peers_) {
    if (peer.epoch == epoch) return true;
  }
  return false;
}

void Agent::PostUrgent(Task task) {
  urgent_.push_back(std::move(task));
  Wake();
}

void Agent::PostBulk(Task task) {
  bulk_.push_back(std::move(task));
  Wake();
}

void Agent::Wake() {
  if (poll_due_) return;
  poll_due_ = true;
  world_.RunAfter(process_, world_.random.Between(kMicro, 20 * kMicro), [this] { Poll(); });
}

void Agent::WakeAt(TimePoint when) {
  if (when >= wake_at_) return;
  wake_at_ = when;
  world_.RunAfter(process_, when - world_.now(), [this, when] {
    if (wake_at_ == when) wake_at_ = TimePoint::max();
    Wake();
  });
}

void Agent::Poll() {
  poll_due_ = false;
  std::deque<Task> urgent;
  std::deque<Task> bulk;
  urgent.swap(urgent_);
  bulk.swap(bulk_);
  for (Task& task : urgent) task();
  for (Task& task : bulk) task();
  const TimePoint now = world_.now();
  if (core_->Poll(now)) Wake();
  if (auto next = core_->NextDeadline()) WakeAt(std::max(*next, now + kMicro));
}

absl::Status Agent::Send(PeerId peer, Priority priority, v1::Frame frame) {
  return links_.Send(peer, priority, std::move(frame));
}

void Agent::Dial(const std::string& address) { links_.Dial(address); }

void Agent::OnPeerUp(const control::PeerInfo& peer) {
  world_.Trace(process_->name, " sees ", peer.address, " up");
  peers_[peer.id] = peer;
  PostUrgent([this, peer] { core_->OnPeerUp(peer); });
}

void Agent::OnPeerDown(PeerId peer, const absl::Status& cause) {
  world_.Trace(process_->name, " sees ", peers_[peer].address, " down: ", cause.message());
  const Epoch epoch = peers_[peer].epoch;
  peers_.erase(peer);
  if (on_peer_down_) on_peer_down_(epoch);
  PostUrgent([this, peer, cause] { core_->OnPeerDown(peer, cause, world_.now()); });
}

void Agent::OnFrame(PeerId peer, Priority priority, v1::Frame frame) {
  if (frame.has_announce()) return OnAnnounce(peer, frame.announce());
  if (world_.tracing()) {
    world_.Trace(process_->name, " hears ", peers_[peer].address, ": ", frame.ShortDebugString());
  }
  auto task = [this, peer, frame = std::move(frame)] { core_->OnFrame(peer, frame, world_.now()); };
  if (priority == Priority::kUrgent) {
    PostUrgent(std::move(task));
  } else {
    PostBulk(std::move(task));
  }
}

void Agent::OnBadFrame(PeerId, const v1::Frame& frame, const absl::Status& cause) {
  // Agents of one build say nothing that they refuse to hear.
  world_.Trace(process_->name, " refuses ", frame.ShortDebugString(), ": ", cause.message());
  if (complain_) complain_(absl::StrCat("WellFormed: ", cause.message()));
}

void Agent::OnAnnounce(PeerId peer, const v1::Announce& announce) {
  std::vector<std::shared_ptr<const worker::RemoteRank>> ranks;
  for (const v1::RankAnnouncement& said : announce.ranks()) {
    auto rank = std::make_shared<worker::RemoteRank>();
    rank->rank = worker::FromProto(said.rank());
    rank->role = static_cast<Role>(said.role());
    rank->incarnation = Incarnation(said.incarnation());
    rank->peer = peer;
    rank->epoch = peers_[peer].epoch;
    rank->worker = said.worker();
    rank->host_key = said.host_key();
    rank->transports.assign(said.transports().begin(), said.transports().end());
    rank->memory_keys.assign(said.memory_keys().begin(), said.memory_keys().end());
    rank->spec = *planner::FromProto(said.spec());
    rank->layout = *planner::FromProto(said.layout());
    ranks.push_back(std::move(rank));
  }
  PostBulk([this, peer, ranks] { core_->OnAnnounce(peer, ranks, world_.now()); });
}

}  // namespace baton::sim
