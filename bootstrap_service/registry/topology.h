// Slot numbers and coordinates. Slots are numbered in the order (dp, pp, cp, tp), tp fastest.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_TOPOLOGY_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_TOPOLOGY_H_

#include <cstdint>

#include "baton/v1/types.pb.h"
#include "common/ids.h"

namespace baton::registry {

inline RankCoord FromProto(const v1::RankCoord& c) { return {c.dp(), c.pp(), c.cp(), c.tp()}; }

inline void SetProto(const RankCoord& c, v1::RankCoord* out) {
  out->set_dp(c.dp);
  out->set_pp(c.pp);
  out->set_cp(c.cp);
  out->set_tp(c.tp);
}

// 0 when a size is 0 or the product is beyond `max`.
inline uint32_t SlotsOf(const RankCoord& sizes, uint32_t max) {
  uint64_t slots = 1;
  for (uint32_t size : {sizes.dp, sizes.pp, sizes.cp, sizes.tp}) {
    slots *= size;
    if (slots == 0 || slots > max) return 0;
  }
  return static_cast<uint32_t>(slots);
}

inline bool Inside(const RankCoord& c, const RankCoord& sizes) {
  return c.dp < sizes.dp && c.pp < sizes.pp && c.cp < sizes.cp && c.tp < sizes.tp;
}

// `c` is inside `sizes`.
inline uint32_t SlotOf(const RankCoord& c, const RankCoord& sizes) {
  return ((c.dp * sizes.pp + c.pp) * sizes.cp + c.cp) * sizes.tp + c.tp;
}

inline RankCoord CoordOf(uint32_t slot, const RankCoord& sizes) {
  RankCoord c;
  c.tp = slot % sizes.tp;
  slot /= sizes.tp;
  c.cp = slot % sizes.cp;
  slot /= sizes.cp;
  c.pp = slot % sizes.pp;
  c.dp = slot / sizes.pp;
  return c;
}

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_TOPOLOGY_H_
