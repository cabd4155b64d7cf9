// Both legs of a room: a prefill server that has a partner, then one of its partners.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/router/explain.h"
#include "client/router/stable_hash.h"
#include "client/router/table.h"
#include "client/router/table_entry.h"
#include "common/reason.h"
#include "planner/compatible.h"

namespace baton::router {
namespace {

// So that a key's two owners are independent of each other.
constexpr uint64_t kDecodeSide = 0x2545f4914f6cdd1d;

}  // namespace

Choice Table::ChooseServer(const PickRequest& request, const Candidates& from, const Places& near,
                           uint64_t point, uint64_t* turn) {
  switch (request.policy) {
    case Policy::kRoundRobin:
      return ChooseInTurn(from, turn);
    case Policy::kPowerOfTwo:
      return ChooseOfTwo(from, &random_);
    case Policy::kLeastLoaded:
      return ChooseLeast(from);
    case Policy::kConsistentHash:
      return ChooseOwner(from, point);
    case Policy::kLocality:
      return ChooseNearest(from, near);
  }
  return std::nullopt;
}

Leg Table::TakeLeg(uint32_t id, const PickRequest& request, uint64_t point) {
  Entry* entry = At(id);
  ++entry->picked;
  SetKey(id);
  // A prefix lies in the cache of one dp rank.
  const bool hashed = request.policy == Policy::kConsistentHash;
  const uint32_t dp = (hashed ? Mix(point) : entry->next_dp++) % entry->dp_size;
  return {entry->record, dp};
}

absl::StatusOr<Route> Table::Pick(const PickRequest& request) {
  auto found = models_.find(request.model);
  if (found == models_.end()) return WhyNone(request);
  Model* model = found->second.get();
  Candidates sources;
  for (size_t i = 0; i < std::min(request.avoid.size(), PickRequest::kAvoidedMax); ++i) {
    auto avoided = by_name_.find(request.avoid[i]);
    if (avoided != by_name_.end()) sources.avoid.push_back(avoided->second);
  }
  Candidates targets;
  targets.avoid = sources.avoid;
  for (const std::unique_ptr<Pool>& pool : model->pools[0]) {
    if (pool->size() > 0 && pool->open_partners > 0) sources.pools.push_back(pool.get());
  }
  const uint64_t point =
      request.policy == Policy::kConsistentHash ? StableHash(request.prefix_key) : 0;
  while (!sources.pools.empty()) {
    const Choice source = ChooseServer(request, sources, here_, point, &model->prefill_turn);
    if (!source) break;
    const Entry& entry = *At(*source);
    targets.pools.clear();
    for (const Pool* pool : entry.pool->partners) {
      if (pool->size() > 0) targets.pools.push_back(pool);
    }
    const Choice target =
        ChooseServer(request, targets, entry.places, point ^ kDecodeSide, &model->decode_turn);
    if (target) {
      Route route;
      route.room = rooms_.Next();
      route.prefill = TakeLeg(*source, request, point);
      route.decode = TakeLeg(*target, request, point ^ kDecodeSide);
      return route;
    }
    // All partners of this pool are avoided.
    sources.pools.erase(std::find(sources.pools.begin(), sources.pools.end(), entry.pool));
  }
  return WhyNone(request);
}

absl::Status Table::WhyNone(const PickRequest& request) const {
  size_t known[2] = {0, 0};
  size_t ready[2] = {0, 0};
  const Entry* example[2] = {nullptr, nullptr};
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (entry == nullptr || absl::string_view(entry->record->model()) != request.model) continue;
    const size_t side = entry->record->role() == v1::ROLE_PREFILL ? 0 : 1;
    ++known[side];
    if (entry->record->state() != v1::SERVER_STATE_READY) continue;
    ++ready[side];
    example[side] = entry.get();
  }
  std::string text = absl::StrCat("model \"", request.model, "\": ", ready[0], " of ", known[0],
                                  " prefill servers and ", ready[1], " of ", known[1],
                                  " decode servers are ready");
  if (ready[0] == 0 || ready[1] == 0) return Error(Reason::kNotReady, text);
  const Entry& prefill = *example[0];
  const Entry& decode = *example[1];
  absl::Status why;
  if (prefill.pool == nullptr || decode.pool == nullptr) {
    why = CheckPair(*prefill.record, *decode.record);
  } else if (auto found = planner::FindIncompatibility(prefill.pool->spec(), decode.pool->spec())) {
    const Obstacle obstacle{Reason::kIncompatible, found->field, found->source, found->target};
    why = Error(obstacle.reason, ToString(obstacle, prefill.record->name(), decode.record->name()));
  }
  if (why.ok()) return Error(Reason::kNotReady, absl::StrCat(text, ", the rest is avoided"));
  return Error(ReasonOf(why), absl::StrCat(text, ", but do not fit: ", why.message()));
}

}  // namespace baton::router
