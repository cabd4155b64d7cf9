// One worker without its thread: the rooms of its ranks, both sides, and everything that reaches
// them. No clock, no thread, no socket: inputs are method calls with the time, outputs go through
// Transport, TableWriter and Outbox. worker.h runs it; the simulation runs it too.
#ifndef BATON_TRANSFER_AGENT_WORKER_WORKER_CORE_H_
#define BATON_TRANSFER_AGENT_WORKER_WORKER_CORE_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "baton/v1/control.pb.h"
#include "transfer_agent/worker/peer_watch.h"
#include "transfer_agent/worker/source_finder.h"
#include "transfer_agent/worker/source_side.h"
#include "transfer_agent/worker/target_side.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

// Thread-compatible.
class WorkerCore {
 public:
  // What the ranks of this worker are, for peers; called when it changes.
  using Announce = std::function<void(std::vector<v1::RankAnnouncement>)>;

  WorkerCore(uint32_t index, Epoch epoch, std::string host_key, WorkerLimits limits, bool checksums,
             std::vector<transport::Transport*> transports, Outbox* outbox, Announce announce);
  ~WorkerCore();

  // --- ranks
  absl::Status AddRank(std::unique_ptr<attach::AttachedRank> rank);
  void EngineGone(AttachmentId id, TimePoint now);
  // An engine of this rank has gone, and its pools are still read or written.
  bool IsReleasing(const RankRef& rank) const;
  void OnRegistered(const RankRef& rank, Incarnation incarnation, TimePoint now);
  // The rank takes no new rooms until OnRegistered comes (again).
  void OnNotAccepting(const RankRef& rank, const absl::Status& cause);

  // --- peers and servers
  void OnPeerUp(const control::PeerInfo& peer);
  void OnPeerDown(PeerId peer, const absl::Status& cause, TimePoint now);
  // All ranks of a peer; those not listed are gone.
  void OnAnnounce(PeerId peer, const std::vector<std::shared_ptr<const RemoteRank>>& ranks,
                  TimePoint now);
  void OnServer(std::shared_ptr<const ServerView> server, TimePoint now);
  void OnServerRemoved(const std::string& name);
  void OnLookup(uint64_t token, const absl::StatusOr<uint32_t>& dp, TimePoint now);
  void OnFrame(PeerId peer, const v1::Frame& frame, TimePoint now);

  // --- progress
  // Reads rings, polls transports, expires deadlines: a bounded amount. False when idle.
  bool Poll(TimePoint now);
  std::optional<TimePoint> NextDeadline() const { return context_.deadlines.Next(); }
  // Also brings the metrics' gauges up to date.
  void Heartbeat();
  // Tells engines whether to ring the doorbell. After true: look at RingsEmpty once more.
  void SetAsleep(bool asleep);
  bool RingsEmpty() const;
  // What engines ring, by attachment; borrowed from the ranks.
  std::vector<std::pair<AttachmentId, int>> Doorbells() const;

  // --- operators
  int AbortRoom(const RoomKey& key, const std::optional<RankRef>& rank, const std::string& why,
                TimePoint now);
  void Describe(v1::AgentStatusResponse* status);
  void DescribeRooms(bool failed_only, uint32_t limit, TimePoint now, v1::ListRoomsResponse* out);
  // Adds what is known of rooms of that id: of that nonce, or with `any_nonce` of all; those that
  // run and those that have ended. All rooms without `id`.
  struct TraceQuery {
    std::optional<RoomKey> key;
    bool any_nonce = false;
    uint32_t limit = 0;
  };
  void TraceRooms(const TraceQuery& query, TimePoint now, uint64_t now_unix_us,
                  v1::TraceRoomResponse* out);
  void DescribeChannels(v1::DumpResponse* out) const;
  uint32_t open_rooms() const;
  // Without those that have ended and whose engine still holds the handle: bytes may move, or a
  // fence is not answered yet.
  uint32_t rooms_under_way();
  // The engine is let go for a cause of this agent's own: it attaches again by itself.
  void LetGo(AttachmentId id, const absl::Status& cause);
  // To be read by any thread.
  const WorkerMetrics& metrics() const { return context_.metrics; }
  void CountBusy(Duration time) { context_.metrics.busy_nanos.Add(time.count()); }
  WorkerContext& context() { return context_; }

 private:
  class TransportEvents;

  // To every transport that can move it.
  absl::Status Export(const attach::AttachedRank& attached, HostedRank* rank);
  void Forget(const HostedRank& rank);
  bool ReadRing(HostedRank& rank, TimePoint now);
  void Run(HostedRank& rank, shm_abi::Command command, TimePoint now);
  // True: the command was about a peer server.
  bool RunPeer(HostedRank& rank, const shm_abi::Command& command);
  void RunRoom(HostedRank& rank, const shm_abi::SlotRef& slot, shm_abi::Command command,
               TimePoint now);
  void Detach(HostedRank& rank, const absl::Status& cause);
  // Lets go of ranks whose engine is gone and whose rooms are all over.
  void SweepRanks();
  void AnnounceRanks();
  // Sent or landed, by rank.
  std::map<AttachmentId, uint64_t> BytesOfOpenRooms();

  WorkerContext context_;
  SourceFinder finder_;
  SourceSide source_;
  TargetSide target_;
  PeerWatch peers_;
  Announce announce_;
  std::vector<std::unique_ptr<TransportEvents>> events_;
  bool ranks_leaving_ = false;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_WORKER_CORE_H_
