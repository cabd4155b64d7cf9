// Which source ranks a decode rank hears from, and whether they are there. Rooms and the look at a
// peer server ask the same questions here, so that a server which reads ready is one that a room
// finds ready.
#ifndef BATON_TRANSFER_AGENT_WORKER_SOURCE_FINDER_H_
#define BATON_TRANSFER_AGENT_WORKER_SOURCE_FINDER_H_

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

// Source ranks of one dp group.
struct SourceCoords {
  std::vector<RankCoord> senders;
  std::vector<RankCoord> spares;  // to be told that they have nothing to send
};

// The same, all announced and ready to be offered pages.
struct Sources {
  std::vector<std::shared_ptr<const RemoteRank>> senders;
  std::vector<std::shared_ptr<const RemoteRank>> spares;
};

// Whether pages of the server and of the rank, one of them a prefill, mean the same. Equal shapes
// say nothing of equal weights: pages of another model, or of another revision of it, would be read
// as if they were this one's. INCOMPATIBLE names both values.
absl::Status CheckPair(const ServerView& server, const attach::AttachedRank& rank);

// Thread-compatible.
class SourceFinder {
 public:
  explicit SourceFinder(WorkerContext* context) : context_(context) {}

  // OK when rooms of `rank` with that dp rank of the server can be planned at all.
  absl::Status CheckServer(const HostedRank& rank, const std::shared_ptr<const ServerView>& server,
                           uint32_t dp);
  SourceCoords CoordsOf(const HostedRank& rank, const ServerView& server, uint32_t dp,
                        const planner::RoutePolicy& policy,
                        const planner::RoomTokens& tokens) const;
  // Every source rank of the dp group that some room of the rank waits for, sorted. Which ones
  // depends on the room's length where tokens are split over cp.
  std::vector<RankCoord> AnyOf(const HostedRank& rank, const ServerView& server, uint32_t dp) const;
  // As registered_source.h says.
  absl::StatusOr<std::shared_ptr<const RemoteRank>> Find(const ServerView& server,
                                                         const RankCoord& coord) const;
  void Dial(const ServerView& server, const RankCoord& coord) const;
  void Forget(AttachmentId hosted);

 private:
  WorkerContext* const context_;
  std::map<std::pair<const ServerView*, AttachmentId>,
           std::pair<std::shared_ptr<const ServerView>, absl::Status>>
      compatible_;
};

// The first transport of ours, best first, that the source has too and that reaches its memory.
// NO_TRANSPORT names the source, and what stood in the way of those that both have.
absl::StatusOr<transport::Transport*> CommonTransport(const WorkerContext& context,
                                                      const HostedRank& rank,
                                                      const RemoteRank& source);

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_SOURCE_FINDER_H_
