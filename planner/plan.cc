#include "planner/plan.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/buffer_table.h"
#include "planner/build_copies.h"
#include "planner/descriptor.h"
#include "planner/fuse.h"
#include "planner/hash.h"

namespace baton::planner {

PairPlan::PairPlan() = default;
PairPlan::~PairPlan() = default;
PairPlan::PairPlan(PairPlan&&) noexcept = default;
PairPlan& PairPlan::operator=(PairPlan&&) noexcept = default;
PairPlan::PairPlan(const PairPlan&) = default;
PairPlan& PairPlan::operator=(const PairPlan&) = default;

absl::Status CheckCoord(const ServerSpec& spec, const RankCoord& coord) {
  const RankCoord& s = spec.sizes;
  if (coord.dp < s.dp && coord.pp < s.pp && coord.cp < s.cp && coord.tp < s.tp) {
    return absl::OkStatus();
  }
  return Error(Reason::kBadCoord,
               absl::StrCat(ToString(coord), " is outside the server's sizes ", ToString(s)));
}

absl::StatusOr<PairPlan> PlanPair(const ServerSpec& source_spec, const RankCoord& source,
                                  const RankLayout& source_layout, const ServerSpec& target_spec,
                                  const RankCoord& target, const RankLayout& target_layout,
                                  const RoutePolicy& policy) {
  if (auto s = ValidateSpec(source_spec); !s.ok()) return s;
  if (auto s = ValidateSpec(target_spec); !s.ok()) return s;
  if (auto s = CheckCoord(source_spec, source); !s.ok()) return s;
  if (auto s = CheckCoord(target_spec, target); !s.ok()) return s;
  if (auto s = CheckCompatible(source_spec, target_spec); !s.ok()) return s;
  const PairContext context(source_spec, target_spec, policy);
  const auto source_buffers =
      BufferTable::Make(source_spec, context.source_layers(), source, source_layout);
  if (!source_buffers.ok()) return source_buffers.status();
  const auto target_buffers =
      BufferTable::Make(target_spec, context.target_layers(), target, target_layout);
  if (!target_buffers.ok()) return target_buffers.status();
  PairPlan plan;
  plan.source = source;
  plan.target = target;
  plan.policy = policy;
  std::vector<Flow> flows;
  context.Flows(source, target, &flows, &plan.sets);
  plan.copies.reserve(flows.size());
  plan.layers.reserve(flows.size());
  for (const Flow& flow : flows) {
    plan.copies.push_back(BuildCopy(context, flow, *source_buffers, *target_buffers));
    plan.copies.back().first_layer = static_cast<uint32_t>(plan.layers.size());
    plan.layers.push_back(flow.layer);
  }
  FuseCopies(&plan);
  plan.hash = HashPair(kPlannerVersionMax, policy, source_spec, source, source_layout, target_spec,
                       target, target_layout);
  return plan;
}

}  // namespace baton::planner
