#include "transfer_agent/worker/worker_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "common/reason.h"
#include "planner/layout_proto.h"
#include "transfer_agent/worker/local_regions.h"
#include "transfer_agent/worker/transport_events.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {
namespace {

absl::StatusOr<transport::ExportedMemory> ExportBy(transport::Transport* transport,
                                                   absl::Span<const transport::LocalRegion> regions,
                                                   bool gpu) {
  const absl::string_view name = transport->capabilities().name;
  if (gpu && !transport->capabilities().gpu_memory) {
    return Error(Reason::kNoTransport, absl::StrCat(name, " cannot move GPU memory"));
  }
  auto exported = transport->ExportMemory(regions);
  if (exported.ok()) return exported;
  return Error(ReasonOf(exported.status()), absl::StrCat(name, ": ", exported.status().message()));
}

}  // namespace

WorkerCore::WorkerCore(uint32_t index, Epoch epoch, std::string host_key, WorkerLimits limits,
                       bool checksums, std::vector<transport::Transport*> transports,
                       Outbox* outbox, Announce announce)
    : context_(index, epoch, std::move(host_key), limits, std::move(transports), outbox),
      finder_(&context_),
      source_(&context_),
      target_(&context_, &finder_),
      peers_(&context_, &finder_),
      announce_(std::move(announce)) {
  context_.checksums = checksums;
  for (transport::Transport* transport : context_.transports) {
    events_.push_back(std::make_unique<TransportEvents>(this, transport));
  }
}

WorkerCore::~WorkerCore() = default;

absl::Status WorkerCore::AddRank(std::unique_ptr<attach::AttachedRank> attached) {
  auto rank = std::make_unique<HostedRank>();
  rank->not_accepting = Error(Reason::kNotReady, "the rank is not registered yet", attached->rank);
  if (absl::Status status = Export(*attached, rank.get()); !status.ok()) {
    Forget(*rank);
    return Error(ReasonOf(status), status.message(), attached->rank);
  }
  rank->attached = std::move(attached);
  const AttachmentId id = rank->attached->id;
  context_.ranks[id] = std::move(rank);
  return absl::OkStatus();
}

absl::Status WorkerCore::Export(const attach::AttachedRank& attached, HostedRank* rank) {
  const std::vector<transport::LocalRegion> regions = LocalRegionsOf(attached);
  const bool gpu = std::any_of(regions.begin(), regions.end(),
                               [](const transport::LocalRegion& r) { return r.dma_buf; });
  if (gpu && context_.checksums) {
    return Error(Reason::kNoTransport,
                 "GPU pools with --checksums: the agent does not see their bytes");
  }
  std::string why;
  Reason reason = Reason::kNoTransport;
  bool any = false;
  for (transport::Transport* transport : context_.transports) {
    absl::StatusOr<transport::ExportedMemory> exported = ExportBy(transport, regions, gpu);
    // Host memory goes by every path, or something is wrong with it. A GPU's has one for its host
    // and one between hosts, and may do with either.
    if (!exported.ok() && !gpu) return Error(Reason::kBadRegion, exported.status().message());
    rank->refused.push_back(exported.status());
    any = any || exported.ok();
    if (!exported.ok()) {
      absl::StrAppend(&why, why.empty() ? "" : "; ", exported.status().message());
      if (ReasonOf(exported.status()) != Reason::kNoTransport) reason = Reason::kBadRegion;
    }
    rank->memory.push_back(exported.ok() ? *std::move(exported) : transport::ExportedMemory());
  }
  if (any) {
    if (!why.empty()) LOG(INFO) << ToString(attached.rank) << " goes not by every path: " << why;
    return absl::OkStatus();
  }
  return Error(reason, absl::StrCat("GPU pools go by cuda on one host and by verbs between hosts, "
                                    "and this agent can do neither: ",
                                    why,
                                    " (start it with --transport=cuda or --transport=verbs to "
                                    "learn what is missing)"));
}

void WorkerCore::Forget(const HostedRank& rank) {
  for (size_t i = 0; i < rank.memory.size(); ++i) {
    if (rank.refused[i].ok()) context_.transports[i]->ForgetMemory(rank.memory[i].id);
  }
}

void WorkerCore::EngineGone(AttachmentId id, TimePoint now) {
  HostedRank* rank = context_.FindRank(id);
  if (rank == nullptr || rank->leaving) return;
  rank->leaving = true;
  rank->accepting = false;
  ranks_leaving_ = true;
  source_.EngineGone(*rank, now);
  target_.EngineGone(*rank, now);
  peers_.EngineGone(*rank);
  finder_.Forget(id);
  AnnounceRanks();
  SweepRanks();
}

bool WorkerCore::IsReleasing(const RankRef& ref) const {
  return std::any_of(context_.ranks.begin(), context_.ranks.end(), [&](const auto& rank) {
    return rank.second->leaving && rank.second->ref() == ref;
  });
}

void WorkerCore::SweepRanks() {
  if (!ranks_leaving_) return;
  ranks_leaving_ = false;
  for (auto it = context_.ranks.begin(); it != context_.ranks.end();) {
    auto next = std::next(it);
    HostedRank& rank = *it->second;
    if (rank.leaving && rank.rooms == 0) {
      Forget(rank);
      context_.plans.Forget(rank.attached->id);
      LOG(INFO) << ToString(rank.ref()) << ": pools released";
      context_.ranks.erase(it);
    } else {
      ranks_leaving_ |= rank.leaving;
    }
    it = next;
  }
}

void WorkerCore::OnRegistered(const RankRef& ref, Incarnation incarnation, TimePoint now) {
  HostedRank* rank = context_.FindRank(ref);
  if (rank == nullptr) return;
  const bool changed = rank->incarnation != incarnation;
  rank->incarnation = incarnation;
  rank->accepting = true;
  rank->registering = false;
  if (changed) AnnounceRanks();
  // Rooms that were opened before the registry's answer came.
  target_.OnRemoteRanks(now);
  peers_.OnHostedRank(*rank);
}

void WorkerCore::OnNotAccepting(const RankRef& ref, const absl::Status& cause) {
  HostedRank* rank = context_.FindRank(ref);
  if (rank == nullptr) return;
  rank->accepting = false;
  rank->registering = false;
  rank->not_accepting = cause;
  peers_.OnHostedRank(*rank);
}

void WorkerCore::AnnounceRanks() {
  std::vector<v1::RankAnnouncement> all;
  for (const auto& [id, rank] : context_.ranks) {
    if (rank->leaving || rank->incarnation == Incarnation()) continue;
    v1::RankAnnouncement& announced = all.emplace_back();
    ToProto(rank->ref(), announced.mutable_rank());
    announced.set_role(static_cast<v1::Role>(rank->attached->role));
    announced.set_incarnation(rank->incarnation.value());
    *announced.mutable_spec() = planner::ToProto(rank->attached->spec);
    *announced.mutable_layout() = planner::ToProto(rank->attached->layout);
    announced.set_worker(context_.index);
    announced.set_host_key(context_.host_key);
    for (size_t i = 0; i < context_.transports.size(); ++i) {
      if (!rank->refused[i].ok()) continue;
      announced.add_transports(std::string(context_.transports[i]->capabilities().name));
      announced.add_memory_keys(rank->memory[i].key);
    }
  }
  announce_(std::move(all));
}

void WorkerCore::OnPeerUp(const control::PeerInfo& peer) { context_.peers[peer.id] = peer; }

void WorkerCore::OnPeerDown(PeerId peer, const absl::Status& cause, TimePoint now) {
  if (!context_.peers.contains(peer)) return;
  OnAnnounce(peer, {}, now);
  context_.peers.erase(peer);
  context_.paths.erase(peer);
  context_.path_transports.erase(peer);
  source_.OnPeerDown(peer, cause, now);
  target_.OnPeerDown(peer, cause, now);
  for (transport::Transport* transport : context_.transports) transport->ForgetPeer(peer);
  context_.channels.ForgetPeer(peer);
}

void WorkerCore::OnAnnounce(PeerId peer,
                            const std::vector<std::shared_ptr<const RemoteRank>>& ranks,
                            TimePoint now) {
  if (!context_.peers.contains(peer)) return;
  context_.remote_ranks.Announce(peer, ranks,
                                 [this](const RemoteRank& rank) { context_.plans.Forget(&rank); });
  target_.OnRemoteRanks(now);
  peers_.OnRemoteRanks();
}

void WorkerCore::OnServer(std::shared_ptr<const ServerView> server, TimePoint now) {
  context_.servers.Put(server);
  target_.OnServer(*server, now);
  peers_.OnServer(*server);
}

void WorkerCore::OnServerRemoved(const std::string& name) {
  context_.servers.Remove(name);
  peers_.OnServerRemoved(name);
}

void WorkerCore::OnLookup(uint64_t token, const absl::StatusOr<uint32_t>& dp, TimePoint now) {
  target_.OnLookup(token, dp, now);
}

void WorkerCore::OnFrame(PeerId peer, const v1::Frame& frame, TimePoint now) {
  if (!context_.peers.contains(peer)) return;
  switch (frame.body_case()) {
    case v1::Frame::kOffer:
      return source_.OnOffer(peer, frame.offer(), now);
    case v1::Frame::kAnnounced:
      return source_.OnAnnounced(peer, frame.announced(), now);
    case v1::Frame::kSourceState:
      return target_.OnSourceState(peer, frame.source_state(), now);
    case v1::Frame::kLanded:
      return source_.OnLanded(peer, frame.landed(), now);
    case v1::Frame::kFence:
      return source_.OnFence(peer, frame.fence(), now);
    case v1::Frame::kRefused:
      return target_.OnRefused(peer, frame.refused(), now);
    case v1::Frame::kSent:
      return target_.OnSent(peer, frame.sent(), now);
    // Who is told is in the message: a source names its target, a target its source.
    case v1::Frame::kFailed:
      return frame.failed().has_source() ? source_.OnFailed(peer, frame.failed(), now)
                                         : target_.OnFailed(peer, frame.failed(), now);
    case v1::Frame::kChannelOpen:
      return context_.channels.OnOpen(peer, frame.channel_open());
    case v1::Frame::kChannelAccept: {
      auto down = context_.channels.OnAccept(peer, frame.channel_accept());
      if (!down.has_value()) return;
      return source_.OnChannelDown(down->first.transport, down->first.id, down->second, now);
    }
    case v1::Frame::kChannelLost: {
      auto lost = context_.channels.OnLost(peer, frame.channel_lost());
      if (!lost.has_value()) return;
      return target_.OnChannelDown(*lost, FromDetail(frame.channel_lost().cause()), now);
    }
    case v1::Frame::kFenced:
      return target_.OnFenceAnswered(peer, frame.fenced());
    case v1::Frame::kChannelRetire:
      return context_.channels.OnRetire(peer, frame.channel_retire());
    case v1::Frame::kChannelRetired:
      return source_.OnRetired(peer, frame.channel_retired(), now);
    // The agent handles these before they reach a worker.
    case v1::Frame::kHello:
    case v1::Frame::kHeartbeat:
    case v1::Frame::kAnnounce:
    case v1::Frame::kGoodbye:
    // A newer peer's message.
    case v1::Frame::BODY_NOT_SET:
      return;
  }
}

}  // namespace baton::worker
