// Who sends which bytes to whom. Pure functions of two (spec, layout) values: both agents of a
// pair compute the same plan from what they told each other, and compare its hash. Thread-safe.
//
// Who is the holder, where several source ranks have what a target needs:
//
// - pp: nobody chooses. A layer has one stage on each side, by its id.
// - tp, policy `one`: the source nearest in rank. Target tp rank t of T looks at source tp rank
//   t * S / T (rounded down) of S; where that one lacks the head, at the nearest that has it (heads
//   that are fewer than ranks lie on consecutive ranks). MLA latents, index keys and scales are on
//   every tp rank: t * S / T itself.
// - cp, policy `one`, where every cp rank has all tokens: source cp rank c * S / T for target cp
//   rank c of T. Where tokens or layers are split over cp there is nothing to choose.
// - `spread`, for either axis: all N holders (source tp replicas of the head times cp replicas,
//   numbered by tp, then cp) send a part each. The bytes that they have alike for this target are
//   put in a row, tensor by tensor, layer by layer, entry by entry, and holder i sends
//   [i / N, (i + 1) / N) of it, cut between entries: parts differ by one entry at most, and most
//   holders send whole layers.
// - STATE rows follow both policies, each row of a layer whole. AUX has one source for each target
//   under either policy: (pp, cp, tp) elected as in `one`, on all three axes.
//
//   target_tp  0 1 2 3          S = 2, T = 4: sources 0 0 1 1      (split.h: Elect)
//   target_tp  0 1              S = 8, T = 2: sources 0 4, or 0..7 each under `spread` (MLA)
#ifndef BATON_PLANNER_PLAN_H_
#define BATON_PLANNER_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::planner {

// Part of what both sides hash. Peers run the highest version both know.
inline constexpr uint32_t kPlannerVersionMin = 1;
inline constexpr uint32_t kPlannerVersionMax = 1;

// Bytes of one tensor of one layer that one source writes to one target. The planner's own type:
// others walk it with a Cursor (cursor.h).
struct CopyDescriptor;
struct EntrySet;

// Everything one source rank writes to one target rank, for any room of the pair.
struct PairPlan {
  RankCoord source;
  RankCoord target;
  RoutePolicy policy;
  std::vector<CopyDescriptor> copies;  // complete type in descriptor.h
  std::vector<EntrySet> sets;          // which entries the copies move; shared_entries.h
  std::vector<uint32_t> layers;        // of the planes of the copies
  // Over the canonical encoding of both specs, both layouts, both coordinates, the policy and the
  // planner version.
  uint64_t hash = 0;

  PairPlan();
  ~PairPlan();
  PairPlan(PairPlan&&) noexcept;
  PairPlan& operator=(PairPlan&&) noexcept;
  PairPlan(const PairPlan&);
  PairPlan& operator=(const PairPlan&);
};

// OK when a server can exist like this: sizes, stages, tensors and groups in range and consistent.
// BAD_SPEC names the field and the value.
absl::Status ValidateSpec(const ServerSpec& spec);

// BAD_COORD unless `coord` lies inside the server's sizes.
absl::Status CheckCoord(const ServerSpec& spec, const RankCoord& coord);

// OK when `layout` is a rank's share of `spec`: exactly the buffers that `coord` owns, each inside
// its region (`region_sizes`, bytes), none overlapping another's bytes, unless the two are of
// different page groups, or one of them is a STATE tensor and the other none of that name: such
// buffers may overlay each other.
absl::Status ValidateLayout(const ServerSpec& spec, const RankCoord& coord,
                            const RankLayout& layout, const std::vector<uint64_t>& region_sizes);

// OK when every byte a target needs has a source. INCOMPATIBLE names the field and both values.
absl::Status CheckCompatible(const ServerSpec& source, const ServerSpec& target);

// The plan of one pair of ranks. The source's dp rank is chosen by the router, the target's is its
// own; neither changes what is sent. A pair with nothing to move has an empty `copies`.
absl::StatusOr<PairPlan> PlanPair(const ServerSpec& source_spec, const RankCoord& source,
                                  const RankLayout& source_layout, const ServerSpec& target_spec,
                                  const RankCoord& target, const RankLayout& target_layout,
                                  const RoutePolicy& policy);

// Source ranks (of dp rank `source_dp`) that write at least one byte to `target` for a room of
// these tokens, sorted. STATE and AUX count: with any, the list is never empty.
std::vector<RankCoord> SourcesOf(const ServerSpec& source_spec, uint32_t source_dp,
                                 const ServerSpec& target_spec, const RankCoord& target,
                                 const RoutePolicy& policy, const RoomTokens& tokens);

// The mirror: targets (of dp rank `target_dp`) that `source` writes at least one byte to.
std::vector<RankCoord> TargetsOf(const ServerSpec& source_spec, const RankCoord& source,
                                 const ServerSpec& target_spec, uint32_t target_dp,
                                 const RoutePolicy& policy, const RoomTokens& tokens);

// Source ranks of `source_dp` with an empty TargetsOf, sorted: the first target rank tells them so.
std::vector<RankCoord> SpareSources(const ServerSpec& source_spec, uint32_t source_dp,
                                    const ServerSpec& target_spec, uint32_t target_dp,
                                    const RoutePolicy& policy, const RoomTokens& tokens);

// The target rank that tells the spare sources: the first of its dp group.
inline bool TellsSpares(const RankCoord& target) {
  return target.pp == 0 && target.cp == 0 && target.tp == 0;
}

}  // namespace baton::planner

#endif  // BATON_PLANNER_PLAN_H_
