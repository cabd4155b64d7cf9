// Agents of one worker each, joined by queues that a test delivers by hand: rooms from end to end,
// without a thread, a clock or a socket.
//
//   World world;
//   Pod& prefill = world.AddPod();
//   EngineRank& p = prefill.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 2}, {0, 0, 0, 0});
//   ...
//   world.Settle();
#ifndef BATON_TRANSFER_AGENT_WORKER_TESTING_WORLD_H_
#define BATON_TRANSFER_AGENT_WORKER_TESTING_WORLD_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/reason.h"
#include "transfer_agent/transport/fake/fake_fabric.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {

class World;

// An engine rank: what it writes to its ring, what it reads in its table.
class EngineRank {
 public:
  static constexpr uint32_t kSlots = 64;
  static constexpr uint32_t kPages = 32;
  static constexpr uint32_t kPageTokens = 4;

  RankRef ref;
  attach::AttachmentId id;
  planner::ServerSpec spec;
  planner::RankLayout layout;
  absl::Span<std::byte> pool;  // gone once the rank is released after EngineGone
  std::deque<shm_abi::Command> ring;
  bool ring_broken = false;
  std::vector<shm_abi::RoomWord> words = std::vector<shm_abi::RoomWord>(kSlots);
  std::vector<absl::Status> causes = std::vector<absl::Status>(kSlots);
  static constexpr uint32_t kPeers = 4;
  std::vector<shm_abi::PeerAnswer> peers = std::vector<shm_abi::PeerAnswer>(kPeers);
  std::vector<uint64_t> source_tokens = std::vector<uint64_t>(kSlots);
  std::vector<uint64_t> prefixes = std::vector<uint64_t>(kSlots);

  // Each opens `slot` under its next generation.
  shm_abi::SlotRef OpenSend(uint32_t slot, RoomKey room, uint64_t total, uint32_t time_left_ms);
  shm_abi::SlotRef OpenReceive(uint32_t slot, RoomKey room, const std::string& prefill,
                               uint64_t total, uint64_t prefix, uint32_t time_left_ms);
  // A room without pages, and its pages.
  shm_abi::SlotRef Announce(uint32_t slot, RoomKey room, const std::string& prefill,
                            uint32_t time_left_ms);
  void Provide(shm_abi::SlotRef slot, uint64_t total, uint64_t prefix);
  void Send(shm_abi::SlotRef slot, uint64_t begin, uint64_t end, bool last);
  void Abort(shm_abi::SlotRef slot) { ring.push_back(shm_abi::Abort{slot, "asked"}); }
  void Close(shm_abi::SlotRef slot) { ring.push_back(shm_abi::Close{slot}); }

  // Asks in row `peer`, under its next generation.
  shm_abi::PeerRef WatchPeer(uint32_t peer, const std::string& server);
  void ForgetPeer(shm_abi::PeerRef peer) { ring.push_back(shm_abi::ForgetPeer{peer}); }

  shm_abi::RoomState state(shm_abi::SlotRef slot) const;
  bool released(shm_abi::SlotRef slot) const { return words[slot.slot].released; }
  Reason reason(shm_abi::SlotRef slot) const;

 private:
  shm_abi::SlotRef Next(uint32_t slot);
  std::map<uint32_t, uint32_t> generations_;
  uint32_t peer_generation_ = 0;
};

// One agent.
class Pod final : public Outbox {
 public:
  Pod(World* world, uint32_t number);

  // Incarnation 0: the registry has not answered yet.
  EngineRank& Attach(const std::string& server, Role role, const RankCoord& sizes,
                     const RankCoord& coord, uint64_t incarnation = 1);
  void EngineGone(EngineRank& rank);
  std::string address() const { return "pod-" + std::to_string(number_); }

  absl::Status Send(PeerId peer, control::Priority priority, v1::Frame frame) override;
  void Dial(const std::string& address) override;
  void LookupRoom(uint32_t worker, uint64_t token, const std::string& server, const RoomKey& room,
                  std::chrono::milliseconds wait) override;
  void BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                std::chrono::milliseconds ttl) override;
  void RoomOver(const std::string& server, const RoomKey& room) override;
  void Detach(AttachmentId id) override { detached.push_back(id); }

  std::unique_ptr<transport::FakeTransport> transport;
  // Instead of it, where the world makes others.
  std::unique_ptr<transport::Transport> made;
  std::unique_ptr<WorkerCore> core;
  std::vector<v1::RankAnnouncement> announced;
  std::map<std::string, std::vector<std::string>> aliases;  // of servers; see TellServers
  std::vector<std::unique_ptr<EngineRank>> ranks;
  std::vector<AttachmentId> detached;
  // Frames towards this pod, in order of arrival on their stream.
  std::deque<std::pair<uint32_t, v1::Frame>> urgent;
  std::deque<std::pair<uint32_t, v1::Frame>> bulk;
  bool hold_urgent = false;
  bool hold_bulk = false;
  std::vector<std::string> dialled;

 private:
  friend class World;
  uint32_t number_;
  World* world_;
  std::set<PeerId> lost_;
};

class World {
 public:
  using MakeTransport = std::function<std::unique_ptr<transport::Transport>()>;

  // Pods are joined by the fake fabric, or by what `make` returns.
  explicit World(MakeTransport make = nullptr, const WorkerLimits& limits = {})
      : make_(std::move(make)), limits_(limits) {}

  Pod& AddPod();
  // Delivers and polls until nothing moves any more.
  void Settle();
  void Advance(std::chrono::milliseconds by) { now += by; }
  // Everyone else loses the pod, as after a crash.
  void Lose(Pod& pod);
  // All hosted ranks of all pods, as the registry would list them, to every pod.
  void TellServers();

  TimePoint now = TimePoint() + std::chrono::hours(1);
  transport::FakeFabric fabric;
  std::vector<std::unique_ptr<Pod>> pods;
  std::map<std::pair<std::string, RoomKey>, uint32_t> bindings;
  // Sent to peers that no pod of this world plays.
  std::vector<v1::Frame> to_strangers;
  std::set<std::pair<std::string, RoomKey>> over;  // of the bindings

 private:
  friend class Pod;
  bool Step(Pod& pod);
  void TellRanks(Pod& to, Pod& of);
  const MakeTransport make_;
  const WorkerLimits limits_;
  uint64_t next_attachment_ = 1;
};

// Pages that a room in `slot` has for [begin, end): descending, so that nothing is in order by
// chance.
std::vector<int32_t> PagesOf(uint32_t slot, uint64_t begin, uint64_t end);

// Every byte of [begin, end) of the rank's own heads, written or checked: content depends on room,
// layer, kind, token and head alone. True when all agree.
void Fill(EngineRank& rank, uint64_t room, const std::vector<int32_t>& pages, uint64_t begin,
          uint64_t end);
bool Matches(const EngineRank& rank, uint64_t room, const std::vector<int32_t>& pages,
             uint64_t begin, uint64_t end);

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_TESTING_WORLD_H_
