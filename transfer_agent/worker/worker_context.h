// What the two sides of a worker share: its ranks, the peers it knows, its transports and channels,
// and the seams through which it acts. Everything here runs on the worker's thread; nothing reads a
// clock: time is an argument. The simulation links the same code over seams of its own.
#ifndef BATON_TRANSFER_AGENT_WORKER_WORKER_CONTEXT_H_
#define BATON_TRANSFER_AGENT_WORKER_WORKER_CONTEXT_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "baton/v1/control.pb.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/control/peer_links.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/worker/channel_table.h"
#include "transfer_agent/worker/deadline_queue.h"
#include "transfer_agent/worker/held_offers.h"
#include "transfer_agent/worker/hosted_rank.h"
#include "transfer_agent/worker/plan_cache.h"
#include "transfer_agent/worker/remote_ranks.h"
#include "transfer_agent/worker/room_history.h"
#include "transfer_agent/worker/server_list.h"
#include "transfer_agent/worker/worker_metrics.h"

namespace baton::worker {

using attach::AttachmentId;
using transport::OfferId;
using transport::PeerId;

// Acts outside the worker. Thread-safe implementations; no call blocks.
class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual absl::Status Send(PeerId peer, control::Priority priority, v1::Frame frame) = 0;
  virtual void Dial(const std::string& address) = 0;
  // Answered by OnLookup(token, ...) of the worker.
  virtual void LookupRoom(uint32_t worker, uint64_t token, const std::string& server,
                          const RoomKey& room, std::chrono::milliseconds wait) = 0;
  // Tells the registry which dp rank has a room.
  virtual void BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                        std::chrono::milliseconds ttl) = 0;
  // A room that was bound went well and is over.
  virtual void RoomOver(const std::string& server, const RoomKey& room) = 0;
  // Ends an attachment whose engine wrote nonsense.
  virtual void Detach(AttachmentId id) = 0;
};

struct WorkerLimits {
  uint32_t rooms_per_rank_max = 65536;
  // Offers of targets whose engine has not opened the room here yet, over all ranks of the worker;
  // what one peer may have of it, held_offers.h says.
  uint32_t held_offers_max = 65536;
  uint64_t held_offer_bytes_max = uint64_t{256} << 20;
  uint32_t time_left_ms_max = 24 * 3600 * 1000;
  uint64_t total_tokens_max = uint64_t{1} << 31;
  // How long an id stays refused after its room ended and was closed (nonce 0 only).
  std::chrono::milliseconds linger{1000};
};

struct WorkerContext {
  WorkerContext(uint32_t worker_index, Epoch agent_epoch, std::string host,
                WorkerLimits worker_limits, std::vector<transport::Transport*> worker_transports,
                Outbox* out)
      : index(worker_index),
        epoch(agent_epoch),
        host_key(std::move(host)),
        limits(worker_limits),
        transports(std::move(worker_transports)),
        outbox(out),
        channels(index, transports, out),
        held(limits.held_offers_max, limits.held_offer_bytes_max) {}

  const uint32_t index;
  const Epoch epoch;
  const std::string host_key;  // equal for agents that may share memory
  const WorkerLimits limits;
  bool checksums = false;  // ask sources for a CRC32C of every segment, where the transport can
  const std::vector<transport::Transport*> transports;  // best first
  Outbox* const outbox;
  ChannelTable channels;
  PlanCache plans;
  DeadlineQueue deadlines;
  // Ordered: what one history does, the next does too.
  std::map<AttachmentId, std::unique_ptr<HostedRank>> ranks;
  RemoteRanks remote_ranks;
  absl::flat_hash_map<PeerId, control::PeerInfo> peers;
  ServerList servers;
  HeldOffers held;
  // Those that the rank's engine has opened.
  uint32_t OpenRoomsOf(const HostedRank& rank) const {
    return rank.rooms - held.RoomsOf(rank.attached->id);
  }

  // Counters for status and metrics.
  WorkerMetrics metrics;
  uint64_t rooms_done = 0;
  uint64_t rooms_failed = 0;
  // The last rooms that failed, newest last.
  std::deque<v1::RoomStatus> failed_rooms;

  // `rank` may be null: it has left. `took`: from its opening to its failure.
  void CountFailed(HostedRank* rank, const RoomKey& key, absl::string_view state, uint64_t bytes,
                   Duration took, const absl::Status& cause);
  void CountDone(HostedRank* rank, Duration took);

  // Rooms that are over, as they were when their last page was free.
  RoomHistory history;
  void Remember(HostedRank& rank, RoomRecord record) {
    rank.bytes_ended += record.bytes;
    history.Add(std::move(record));
  }

  // By which transport pages go to or come from a peer, and why: said once in the log, and in the
  // agent's status.
  std::map<PeerId, std::string> paths;
  std::map<PeerId, const transport::Transport*> path_transports;  // beside `paths`
  // Brings the gauges of `metrics` up to date.
  void RefreshGauges();
  void NotePath(PeerId peer, const transport::Transport& transport, absl::string_view why);

  HostedRank* FindRank(const RankRef& ref) {
    for (auto& [id, rank] : ranks) {
      if (!rank->leaving && rank->ref() == ref) return rank.get();
    }
    return nullptr;
  }
  HostedRank* FindRank(AttachmentId id) {
    auto it = ranks.find(id);
    return it == ranks.end() ? nullptr : it->second.get();
  }
  std::shared_ptr<const RemoteRank> FindRemote(const RankRef& ref) const {
    return remote_ranks.Find(ref);
  }
  transport::Transport* FindTransport(absl::string_view name) const {
    for (transport::Transport* t : transports) {
      if (t->capabilities().name == name) return t;
    }
    return nullptr;
  }
  size_t IndexOf(const transport::Transport* transport) const {
    size_t i = 0;
    while (transports[i] != transport) ++i;
    return i;
  }
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_WORKER_CONTEXT_H_
