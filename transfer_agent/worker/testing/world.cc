#include "transfer_agent/worker/testing/world.h"

#include <sys/mman.h>

#include <utility>

#include "common/log.h"
#include "common/reason.h"
#include "planner/layout_proto.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {
namespace {

class FakeRing final : public attach::RingReader {
 public:
  explicit FakeRing(EngineRank* rank) : rank_(rank) {}
  absl::StatusOr<std::optional<shm_abi::Command>> Next() override {
    if (rank_->ring_broken) return Error(Reason::kBadMessage, "the ring is broken");
    if (rank_->ring.empty()) return std::optional<shm_abi::Command>();
    std::optional<shm_abi::Command> command = std::move(rank_->ring.front());
    rank_->ring.pop_front();
    return command;
  }
  bool Empty() const override { return rank_->ring.empty(); }

 private:
  EngineRank* const rank_;
};

class FakeTable final : public attach::TableWriter {
 public:
  explicit FakeTable(EngineRank* rank) : rank_(rank) {}
  uint32_t slots() const override { return EngineRank::kSlots; }
  void SetPrefix(uint32_t slot, uint64_t prefix) override { rank_->prefixes[slot] = prefix; }
  void SetBytes(uint32_t, uint64_t) override {}
  void SetSourceTokens(uint32_t slot, uint64_t tokens) override {
    rank_->source_tokens[slot] = tokens;
  }
  void SetCause(uint32_t slot, const absl::Status& cause) override { rank_->causes[slot] = cause; }
  void Publish(uint32_t slot, shm_abi::RoomWord word) override { rank_->words[slot] = word; }
  uint32_t peers() const override { return EngineRank::kPeers; }
  void PublishPeer(uint32_t peer, const shm_abi::PeerAnswer& answer) override {
    rank_->peers[peer] = answer;
  }
  void Heartbeat() override {}
  void SetAsleep(bool) override {}

 private:
  EngineRank* const rank_;
};

// Two layers of K and V, four heads of eight bytes, and an aux row of 16 bytes.
planner::ServerSpec SpecOf(const RankCoord& sizes) {
  planner::ServerSpec spec;
  spec.sizes = sizes;
  spec.stages.resize(sizes.pp);
  for (uint32_t layer = 0; layer < 2; ++layer) spec.stages[layer * sizes.pp / 2].push_back(layer);
  spec.page_groups = {{EngineRank::kPageTokens}};
  for (planner::Kind kind : {planner::Kind::kK, planner::Kind::kV}) {
    planner::TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = {0, 1};
    tensor.dtype = "bf16";
    tensor.heads = 4;
    tensor.head_bytes = 8;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  planner::TensorSpec aux;
  aux.kind = planner::Kind::kAux;
  aux.layers = {0};
  aux.dtype = "bytes";
  aux.heads = 1;
  aux.head_bytes = 16;
  spec.tensors.push_back(aux);
  return spec;
}

planner::RankLayout LayoutOf(const planner::ServerSpec& spec, const RankCoord& coord,
                             uint64_t* bytes) {
  planner::RankLayout layout;
  uint64_t offset = 0;
  for (uint32_t t = 0; t < spec.tensors.size(); ++t) {
    const planner::TensorSpec& tensor = spec.tensors[t];
    const bool aux = tensor.kind == planner::Kind::kAux;
    const uint64_t entry =
        tensor.head_bytes * (tensor.tp_sharded ? tensor.heads / spec.sizes.tp : 1);
    for (uint32_t layer : aux ? std::vector<uint32_t>{0} : spec.stages[coord.pp]) {
      planner::BufferLayout buffer;
      buffer.tensor = t;
      buffer.layer = layer;
      buffer.offset = offset;
      buffer.pages = aux ? EngineRank::kSlots : EngineRank::kPages;
      buffer.head_stride = tensor.head_bytes;
      buffer.entry_stride = entry;
      buffer.page_stride = aux ? entry : entry * EngineRank::kPageTokens;
      offset += buffer.page_stride * buffer.pages;
      layout.buffers.push_back(buffer);
    }
  }
  *bytes = offset;
  return layout;
}

}  // namespace

Pod::Pod(World* world, uint32_t number) : number_(number), world_(world) {
  transport = world->fabric.Join();
  if (world->make_) made = world->make_();
  core = std::make_unique<WorkerCore>(
      0, Epoch(number + 100), "host", world->limits_, false,
      std::vector<transport::Transport*>{made != nullptr ? made.get() : transport.get()}, this,
      [this](std::vector<v1::RankAnnouncement> ranks) {
        announced = std::move(ranks);
        for (auto& other : world_->pods) {
          if (other.get() != this) world_->TellRanks(*other, *this);
        }
      });
}

EngineRank& Pod::Attach(const std::string& server, Role role, const RankCoord& sizes,
                        const RankCoord& coord, uint64_t incarnation) {
  auto rank = std::make_unique<EngineRank>();
  rank->ref = {server, coord};
  rank->id = attach::AttachmentId(world_->next_attachment_++);
  rank->spec = SpecOf(sizes);
  uint64_t bytes = 0;
  rank->layout = LayoutOf(rank->spec, coord, &bytes);
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(base != MAP_FAILED);
  rank->pool = absl::MakeSpan(static_cast<std::byte*>(base), bytes);
  auto attached = std::make_unique<attach::AttachedRank>();
  attached->id = rank->id;
  attached->rank = rank->ref;
  attached->role = role;
  attached->spec = rank->spec;
  attached->layout = rank->layout;
  attached->regions.emplace_back(UniqueFd(), rank->pool.data(), bytes, false);
  attached->ring = std::make_unique<FakeRing>(rank.get());
  attached->table = std::make_unique<FakeTable>(rank.get());
  CHECK(core->AddRank(std::move(attached)).ok());
  if (incarnation > 0) core->OnRegistered(rank->ref, Incarnation(incarnation), world_->now);
  ranks.push_back(std::move(rank));
  world_->TellServers();
  return *ranks.back();
}

void Pod::EngineGone(EngineRank& rank) { core->EngineGone(rank.id, world_->now); }

absl::Status Pod::Send(PeerId peer, control::Priority priority, v1::Frame frame) {
  if (lost_.contains(peer)) return Error(Reason::kPeerLost, "the peer is down");
  if (peer.value() >= world_->pods.size()) {
    world_->to_strangers.push_back(std::move(frame));
    return absl::OkStatus();
  }
  Pod& to = *world_->pods[peer.value()];
  (priority == control::Priority::kUrgent ? to.urgent : to.bulk)
      .emplace_back(number_, std::move(frame));
  return absl::OkStatus();
}

void Pod::Dial(const std::string& address) { dialled.push_back(address); }

void Pod::LookupRoom(uint32_t, uint64_t token, const std::string& server, const RoomKey& room,
                     std::chrono::milliseconds) {
  auto it = world_->bindings.find({server, room});
  if (it == world_->bindings.end()) {
    core->OnLookup(token, Error(Reason::kRoomUnknown, "nobody bound the room"), world_->now);
  } else {
    core->OnLookup(token, it->second, world_->now);
  }
}

void Pod::BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                   std::chrono::milliseconds) {
  world_->bindings[{server, room}] = dp;
}

void Pod::RoomOver(const std::string& server, const RoomKey& room) {
  world_->over.insert({server, room});
}

Pod& World::AddPod() {
  pods.push_back(std::make_unique<Pod>(this, pods.size()));
  Pod& added = *pods.back();
  for (auto& pod : pods) {
    if (pod.get() == &added) continue;
    for (auto [to, of] : {std::make_pair(pod.get(), &added), {&added, pod.get()}}) {
      to->core->OnPeerUp(
          {PeerId(of->number_), of->address(), Epoch(of->number_ + 100), 1, /*dialled=*/true});
    }
    TellRanks(added, *pod);
  }
  return added;
}

void World::TellRanks(Pod& to, Pod& of) {
  std::vector<std::shared_ptr<const RemoteRank>> ranks;
  for (const v1::RankAnnouncement& said : of.announced) {
    auto rank = std::make_shared<RemoteRank>();
    rank->rank = FromProto(said.rank());
    rank->role = static_cast<Role>(said.role());
    rank->incarnation = Incarnation(said.incarnation());
    rank->peer = PeerId(of.number_);
    rank->epoch = Epoch(of.number_ + 100);
    rank->transports.assign(said.transports().begin(), said.transports().end());
    rank->memory_keys.assign(said.memory_keys().begin(), said.memory_keys().end());
    rank->host_key = said.host_key();
    rank->spec = *planner::FromProto(said.spec());
    rank->layout = *planner::FromProto(said.layout());
    ranks.push_back(rank);
  }
  to.core->OnAnnounce(PeerId(of.number_), ranks, now);
}

void World::TellServers() {
  std::map<std::string, std::shared_ptr<ServerView>> views;
  for (auto& pod : pods) {
    for (const v1::RankAnnouncement& said : pod->announced) {
      auto& view = views[said.rank().server()];
      if (view == nullptr) view = std::make_shared<ServerView>();
      view->name = said.rank().server();
      view->incarnation = Incarnation(said.incarnation());
      view->role = static_cast<Role>(said.role());
      view->spec = *planner::FromProto(said.spec());
      view->aliases = pod->aliases[view->name];
      view->addresses[FromProto(said.rank()).coord] = pod->address();
      view->epochs[FromProto(said.rank()).coord] = Epoch(pod->number_ + 100);
    }
  }
  for (auto& pod : pods) {
    for (auto& [name, view] : views) pod->core->OnServer(view, now);
  }
}

bool World::Step(Pod& pod) {
  bool moved = false;
  while (!pod.urgent.empty() && !pod.hold_urgent) {
    auto [from, frame] = std::move(pod.urgent.front());
    pod.urgent.pop_front();
    pod.core->OnFrame(PeerId(from), frame, now);
    moved = true;
  }
  while (!pod.bulk.empty() && !pod.hold_bulk) {
    auto [from, frame] = std::move(pod.bulk.front());
    pod.bulk.pop_front();
    pod.core->OnFrame(PeerId(from), frame, now);
    moved = true;
  }
  return pod.core->Poll(now) || moved;
}

void World::Settle() {
  bool moved = true;
  while (moved) {
    moved = false;
    for (auto& pod : pods) moved |= Step(*pod);
  }
}

void World::Lose(Pod& pod) {
  for (auto& other : pods) {
    if (other.get() == &pod) continue;
    other->lost_.insert(PeerId(pod.number_));
    other->core->OnPeerDown(PeerId(pod.number_), Error(Reason::kPeerLost, "silent for 3000 ms"),
                            now);
  }
}

}  // namespace baton::worker
