// The ranks that peers announce. Two agents that dial each other announce the same ranks over both
// links: a rank is known for as long as any link announces it.
#ifndef BATON_TRANSFER_AGENT_WORKER_REMOTE_RANKS_H_
#define BATON_TRANSFER_AGENT_WORKER_REMOTE_RANKS_H_

#include <map>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/ids.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/worker/hosted_rank.h"

namespace baton::worker {

// Thread-compatible.
class RemoteRanks {
 public:
  using Announced = std::vector<std::shared_ptr<const RemoteRank>>;

  // Replaces all that `peer` announced before; empty once the peer is gone. `forget` is called for
  // every announcement that is gone or no longer the one to use, while it is still alive.
  void Announce(transport::PeerId peer, const Announced& ranks,
                absl::FunctionRef<void(const RemoteRank&)> forget);

  // The announcement of the rank's latest start; null when nobody announces it. Of two of the same
  // start the one that was there first stays, so that nothing is planned twice.
  std::shared_ptr<const RemoteRank> Find(const RankRef& ref) const;

  // What this very link announces of the rank; null when it does not. Who speaks of a rank over a
  // link is judged by it: two agents that dial each other know each other by two links.
  std::shared_ptr<const RemoteRank> FindFrom(transport::PeerId peer, const RankRef& ref) const;

  // Of all announcements of the rank the first that `fits`; null when there is none.
  std::shared_ptr<const RemoteRank> FindIf(const RankRef& ref,
                                           absl::FunctionRef<bool(const RemoteRank&)> fits) const;

  // Every announcement, sorted by rank.
  void ForEach(absl::FunctionRef<void(const RemoteRank&)> visit) const;

 private:
  struct Slot {
    std::shared_ptr<const RemoteRank> used;
    Announced all;  // in order of arrival; `used` is one of them
  };
  void Choose(Slot& slot, absl::FunctionRef<void(const RemoteRank&)> forget);

  std::map<RankRef, Slot> slots_;
  std::map<transport::PeerId, std::vector<RankRef>> of_peer_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_REMOTE_RANKS_H_
