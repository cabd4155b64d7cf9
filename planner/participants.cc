#include <vector>

#include "planner/flows.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

// Calls fn for each rank of dp rank `dp`, in order.
template <typename Fn>
void ForEachRank(const RankCoord& sizes, uint32_t dp, Fn&& fn) {
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
    for (uint32_t cp = 0; cp < sizes.cp; ++cp) {
      for (uint32_t tp = 0; tp < sizes.tp; ++tp) fn(RankCoord{dp, pp, cp, tp});
    }
  }
}

}  // namespace

std::vector<RankCoord> SourcesOf(const ServerSpec& source_spec, uint32_t source_dp,
                                 const ServerSpec& target_spec, const RankCoord& target,
                                 const RoutePolicy& policy, const RoomTokens& tokens) {
  const PairContext context(source_spec, target_spec, policy);
  std::vector<RankCoord> sources;
  ForEachRank(source_spec.sizes, source_dp, [&](const RankCoord& source) {
    if (context.Moves(source, target, tokens)) sources.push_back(source);
  });
  return sources;
}

std::vector<RankCoord> TargetsOf(const ServerSpec& source_spec, const RankCoord& source,
                                 const ServerSpec& target_spec, uint32_t target_dp,
                                 const RoutePolicy& policy, const RoomTokens& tokens) {
  const PairContext context(source_spec, target_spec, policy);
  std::vector<RankCoord> targets;
  ForEachRank(target_spec.sizes, target_dp, [&](const RankCoord& target) {
    if (context.Moves(source, target, tokens)) targets.push_back(target);
  });
  return targets;
}

std::vector<RankCoord> SpareSources(const ServerSpec& source_spec, uint32_t source_dp,
                                    const ServerSpec& target_spec, uint32_t target_dp,
                                    const RoutePolicy& policy, const RoomTokens& tokens) {
  const PairContext context(source_spec, target_spec, policy);
  std::vector<RankCoord> spares;
  ForEachRank(source_spec.sizes, source_dp, [&](const RankCoord& source) {
    bool moves = false;
    ForEachRank(target_spec.sizes, target_dp, [&](const RankCoord& target) {
      moves = moves || context.Moves(source, target, tokens);
    });
    if (!moves) spares.push_back(source);
  });
  return spares;
}

}  // namespace baton::planner
