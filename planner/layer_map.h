// Which stage and which cp block a layer of a server lies in.
#ifndef BATON_PLANNER_LAYER_MAP_H_
#define BATON_PLANNER_LAYER_MAP_H_

#include <cstdint>
#include <vector>

#include "common/ids.h"
#include "planner/layout.h"

namespace baton::planner {

inline constexpr uint32_t kEveryCp = UINT32_MAX;
inline constexpr uint32_t kNoStage = UINT32_MAX;

struct LayerHome {
  uint32_t pp = kNoStage;
  uint32_t cp = kEveryCp;

  bool At(const RankCoord& coord) const {
    return pp == coord.pp && (cp == kEveryCp || cp == coord.cp);
  }
};

inline bool IsRow(Kind kind) { return kind == Kind::kState || kind == Kind::kAux; }

// The spec must be valid, layer ids at least bounded.
class LayerMap {
 public:
  explicit LayerMap(const ServerSpec& spec);
  // kNoStage for a layer of no stage.
  LayerHome Home(uint32_t layer) const {
    return layer < homes_.size() ? homes_[layer] : LayerHome{};
  }
  // Whether the rank keeps a buffer of `tensor` for `layer`; AUX is everywhere.
  bool Holds(const TensorSpec& tensor, uint32_t layer, const RankCoord& coord) const {
    return tensor.kind == Kind::kAux || Home(layer).At(coord);
  }

 private:
  void SplitOverCp(const ServerSpec& spec);

  std::vector<LayerHome> homes_;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_LAYER_MAP_H_
