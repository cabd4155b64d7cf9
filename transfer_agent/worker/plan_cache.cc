#include "transfer_agent/worker/plan_cache.h"

#include <utility>

namespace baton::worker {

absl::StatusOr<std::shared_ptr<const planner::PairPlan>> PlanCache::ToTarget(
    const HostedRank& source, const std::shared_ptr<const RemoteRank>& target,
    const planner::RoutePolicy& policy) {
  Key key{target.get(), source.attached->id.value(), true, static_cast<uint8_t>(policy.tp_holder),
          static_cast<uint8_t>(policy.cp_holder)};
  if (auto it = entries_.find(key); it != entries_.end()) return it->second.plan;
  auto plan = planner::PlanPair(source.attached->spec, source.coord(), source.attached->layout,
                                target->spec, target->rank.coord, target->layout, policy);
  if (!plan.ok()) return plan.status();
  auto shared = std::make_shared<const planner::PairPlan>(*std::move(plan));
  entries_[key] = Entry{target, shared};
  return shared;
}

absl::StatusOr<std::shared_ptr<const planner::PairPlan>> PlanCache::FromSource(
    const std::shared_ptr<const RemoteRank>& source, const HostedRank& target,
    const planner::RoutePolicy& policy) {
  Key key{source.get(), target.attached->id.value(), false, static_cast<uint8_t>(policy.tp_holder),
          static_cast<uint8_t>(policy.cp_holder)};
  if (auto it = entries_.find(key); it != entries_.end()) return it->second.plan;
  auto plan =
      planner::PlanPair(source->spec, source->rank.coord, source->layout, target.attached->spec,
                        target.coord(), target.attached->layout, policy);
  if (!plan.ok()) return plan.status();
  auto shared = std::make_shared<const planner::PairPlan>(*std::move(plan));
  entries_[key] = Entry{source, shared};
  return shared;
}

void PlanCache::Forget(const RemoteRank* remote) {
  std::erase_if(entries_, [&](const auto& e) { return std::get<0>(e.first) == remote; });
}

void PlanCache::Forget(attach::AttachmentId hosted) {
  std::erase_if(entries_, [&](const auto& e) { return std::get<1>(e.first) == hosted.value(); });
}

}  // namespace baton::worker
