// What `plan explain` prints, before it is printed.
#ifndef BATON_CLIENT_CTL_PLAN_EXPLAIN_MODEL_H_
#define BATON_CLIENT_CTL_PLAN_EXPLAIN_MODEL_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "planner/layout.h"
#include "planner/layout_builder.h"
#include "planner/plan.h"

namespace baton::ctl {

struct ExplainedServer {
  planner::ServerSpec spec;
  planner::LayoutOptions style;  // without page counts
};

struct ExplainRequest {
  ExplainedServer prefill;
  ExplainedServer decode;
  planner::RoutePolicy policy;
  planner::RoomTokens tokens;
  bool expand = false;
};

// One source and one target of dp rank 0.
struct ExplainedPair {
  RankCoord source;
  RankCoord target;
  uint64_t hash = 0;
  uint64_t copies = 0;  // descriptors
  uint64_t runs = 0;    // contiguous pieces for the room
  uint64_t bytes = 0;
};

// A piece of one tensor of one layer that is contiguous on both sides.
struct ExplainedRow {
  RankCoord source;
  RankCoord target;
  planner::Kind kind = planner::Kind::kK;
  std::string name;
  uint32_t layer = 0;
  uint32_t head_begin = 0;
  uint32_t head_end = 0;
  uint64_t token_begin = 0;
  uint64_t token_end = 0;
  uint64_t bytes = 0;
  uint32_t source_region = 0;
  uint64_t source_offset = 0;
  uint32_t target_region = 0;
  uint64_t target_offset = 0;
};

struct ExplainedRank {
  RankCoord coord;
  planner::BuiltLayout built;
};

struct Explanation {
  std::vector<ExplainedRank> sources;
  std::vector<ExplainedRank> targets;
  std::vector<ExplainedPair> pairs;
  std::vector<RankCoord> spare;
  std::vector<ExplainedRow> rows;  // with `expand`
};

absl::StatusOr<Explanation> Explain(const ExplainRequest& request);

void PrintTable(const ExplainRequest& request, const Explanation& explanation, std::ostream& out);
void PrintJson(const ExplainRequest& request, const Explanation& explanation, std::ostream& out);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_PLAN_EXPLAIN_MODEL_H_
