// Specs of small models with the structure of real ones, for the tests.
#ifndef BATON_PLANNER_PROOF_SPECS_H_
#define BATON_PLANNER_PROOF_SPECS_H_

#include <cstdint>

#include "planner/layout.h"
#include "planner/layout_builder.h"
#include "planner/proof/model.h"

namespace baton::planner {

enum class ModelKind : uint8_t {
  kGqa,         // K, V
  kMla,         // LATENT
  kIndexed,     // LATENT, INDEX keys and SCALEs of one page group
  kHybrid,      // K, V in some layers, STATE with sub-blocks in the others, AUX
  kWindow,      // K, V; in some layers with a sliding window, AUX
  kCompressed,  // pools of several tokens an entry beside a plain one
  kDraft,       // K, V and draft layers, AUX
};
inline constexpr int kModelKinds = 7;
inline constexpr int kCpShardings = 8;

enum class StageStyle : uint8_t {
  kAny,     // at times even, at times cut anywhere
  kEven,    // as even as layers allow
  kUneven,  // the first stage has what the others, of one layer each, leave
};

struct SpecShape {
  RankCoord sizes{1, 1, 1, 1};
  CpSharding cp_sharding = CpSharding::kReplicated;
  uint32_t layers = 4;
  uint32_t heads = 8;
  uint32_t page_tokens = 4;
  bool draft = true;  // kDraft: this side has the draft layers
  StageStyle stages = StageStyle::kAny;
  bool last_stage = false;  // AUX is the last stage's
};

ServerSpec MakeSpec(ModelKind kind, const SpecShape& shape, Random& random);
inline ServerSpec MakeSpec(ModelKind kind, const RankCoord& sizes, CpSharding cp_sharding,
                           uint32_t layers, uint32_t page_tokens, Random& random) {
  return MakeSpec(kind, SpecShape{sizes, cp_sharding, layers, 8, page_tokens}, random);
}

// Enough pages for `tokens`; the styles at random.
LayoutOptions RandomOptions(const ServerSpec& spec, uint64_t tokens, Random& random);

}  // namespace baton::planner

#endif  // BATON_PLANNER_PROOF_SPECS_H_
