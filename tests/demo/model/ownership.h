// Which layers, heads and tokens a rank holds, counted out from the rules in layout.proto and from
// nothing else: the demo checks the planner with it, so it shares no code with the planner.
#ifndef BATON_TESTS_DEMO_MODEL_OWNERSHIP_H_
#define BATON_TESTS_DEMO_MODEL_OWNERSHIP_H_

#include <cstdint>
#include <vector>

#include "planner/layout.h"

namespace baton::demo {

class Ownership {
 public:
  // `spec` is borrowed.
  Ownership(const planner::ServerSpec* spec, const RankCoord& coord) : spec_(spec), coord_(coord) {}

  const planner::ServerSpec& spec() const { return *spec_; }

  bool HoldsLayer(const planner::TensorSpec& tensor, uint32_t layer) const;

  // Global heads that the rank holds, in the order in which they lie in its memory.
  std::vector<uint32_t> Heads(const planner::TensorSpec& tensor) const;

  // Positions below `total_tokens` that the rank holds of a page group, ascending. The i-th of them
  // lies in slot i mod page_tokens of the (i div page_tokens)-th page of the room.
  std::vector<uint64_t> Tokens(uint32_t page_group, uint64_t total_tokens) const;

  // Most tokens that Tokens can return.
  uint64_t TokensMax(uint32_t page_group, uint64_t total_tokens) const;

 private:
  bool HoldsPage(uint64_t page, uint64_t pages) const;

  const planner::ServerSpec* spec_;
  RankCoord coord_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_MODEL_OWNERSHIP_H_
