// Plans of pairs of ranks, computed once for each pair of announcements.
#ifndef BATON_TRANSFER_AGENT_WORKER_PLAN_CACHE_H_
#define BATON_TRANSFER_AGENT_WORKER_PLAN_CACHE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

#include "absl/status/statusor.h"
#include "common/ids.h"
#include "planner/plan.h"
#include "transfer_agent/worker/hosted_rank.h"

namespace baton::worker {

// Thread-compatible. Entries keep the announcement they were made from alive.
class PlanCache {
 public:
  // INCOMPATIBLE, naming the field.
  absl::StatusOr<std::shared_ptr<const planner::PairPlan>> ToTarget(
      const HostedRank& source, const std::shared_ptr<const RemoteRank>& target,
      const planner::RoutePolicy& policy);
  absl::StatusOr<std::shared_ptr<const planner::PairPlan>> FromSource(
      const std::shared_ptr<const RemoteRank>& source, const HostedRank& target,
      const planner::RoutePolicy& policy);

  // Drops the plans of an announcement that was replaced, or of a hosted rank that left.
  void Forget(const RemoteRank* remote);
  void Forget(attach::AttachmentId hosted);

 private:
  // Remote announcement, hosted rank, whether the hosted rank is the source, policy.
  using Key = std::tuple<const RemoteRank*, uint64_t, bool, uint8_t, uint8_t>;
  struct Entry {
    std::shared_ptr<const RemoteRank> remote;
    std::shared_ptr<const planner::PairPlan> plan;
  };
  std::map<Key, Entry> entries_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_PLAN_CACHE_H_
