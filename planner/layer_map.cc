#include "planner/layer_map.h"

#include <algorithm>

#include "planner/break.h"
#include "planner/split.h"

namespace baton::planner {

LayerMap::LayerMap(const ServerSpec& spec) {
  size_t size = 0;
  for (const auto& stage : spec.stages) {
    for (uint32_t layer : stage) size = std::max<size_t>(size, layer + 1);
  }
  homes_.resize(size);
  for (uint32_t pp = 0; pp < spec.stages.size(); ++pp) {
    for (uint32_t layer : spec.stages[pp]) homes_[layer].pp = pp;
  }
  if (spec.cp_sharding == CpSharding::kLayerSplit) SplitOverCp(spec);
}

void LayerMap::SplitOverCp(const ServerSpec& spec) {
  std::vector<bool> draft(homes_.size(), false);
  for (const TensorSpec& tensor : spec.tensors) {
    if (!tensor.draft || tensor.kind == Kind::kAux) continue;
    for (uint32_t layer : tensor.layers) {
      if (layer < draft.size()) draft[layer] = true;
    }
  }
  for (const auto& stage : spec.stages) {
    std::vector<uint32_t> main;
    for (uint32_t layer : stage) {
      if (draft[layer]) {
        homes_[layer].cp = Broken(9) ? 0 : spec.sizes.cp - 1;
      } else {
        main.push_back(layer);
      }
    }
    for (uint32_t cp = 0; cp < spec.sizes.cp; ++cp) {
      const Span64 part = PartOf(main.size(), spec.sizes.cp, cp);
      for (uint64_t i = part.begin; i < part.end; ++i) homes_[main[i]].cp = cp;
    }
  }
}

}  // namespace baton::planner
