// How a server is cut into ranks and how its pools lie in memory, as one word of a command line:
//
//   "pp2,cp2,tp2"                      sizes; those left out are 1
//   "pp2,cp8:zigzag,tp8"               cp sharding: replicated (default), contiguous, token, page,
//                                      zigzag, layers, page-tp, page-cp-tp
//   "pp3,stages:5+4+3,tp2"             layers of each pp stage; balanced when left out
//   "tp2,page64"                       tokens of a page, instead of the preset's
//   "tp2,pool:head"                    order inside the pool: token (default), head (head-major),
//                                      joined (all tensors of a layer in one page), cross (all
//                                      layers in one page)
#ifndef BATON_TESTS_DEMO_MODEL_TOPOLOGY_H_
#define BATON_TESTS_DEMO_MODEL_TOPOLOGY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "planner/layout.h"
#include "tests/demo/model/preset.h"

namespace baton::demo {

enum class PoolOrder : uint8_t { kToken, kHead, kJoined, kCross };

struct Topology {
  RankCoord sizes{1, 1, 1, 1};
  planner::CpSharding cp_sharding = planner::CpSharding::kReplicated;
  std::vector<uint32_t> stages;  // layers of each; empty: balanced
  uint32_t page_tokens = 0;      // 0: the preset's
  PoolOrder order = PoolOrder::kToken;

  bool operator==(const Topology&) const = default;
};

// CONFIG names the item that is wrong and what it may be.
absl::StatusOr<Topology> ParseTopology(absl::string_view text);

// CONFIG when the stages do not add up to the preset's layers.
absl::StatusOr<planner::ServerSpec> BuildSpec(const Preset& preset, const Topology& topology);

// Every rank, sorted.
std::vector<RankCoord> RanksOf(const RankCoord& sizes);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_MODEL_TOPOLOGY_H_
