// The KV cache that engines of the simulation hold: small enough that a room is a few hundred
// bytes, large enough that tensor ranks split heads, stages split layers and chunks split pages.
#ifndef BATON_TESTS_SIMULATION_MODEL_H_
#define BATON_TESTS_SIMULATION_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/ids.h"
#include "planner/layout.h"

namespace baton::sim {

inline constexpr uint32_t kPageTokens = 2;
inline constexpr uint32_t kPages = 40;
inline constexpr uint32_t kRows = 16;  // aux rows, and slots of a completion table
inline constexpr uint32_t kHeads = 4;
inline constexpr uint32_t kHeadBytes = 2;
inline constexpr uint32_t kAuxBytes = 4;
inline constexpr uint32_t kLayers = 2;

// K and V of two layers, and an aux row. Cached by sizes.
const planner::ServerSpec& SpecOf(const RankCoord& sizes);
planner::RankLayout LayoutOf(const planner::ServerSpec& spec, const RankCoord& coord,
                             uint64_t* bytes);
// All coordinates inside the sizes, sorted.
std::vector<RankCoord> CoordsOf(const RankCoord& sizes);

// What a byte of a request must be: known from the request's salt and its place in the cache alone.
std::byte ContentOf(uint64_t salt, uint32_t tensor, uint32_t layer, uint64_t token, uint32_t at);

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_MODEL_H_
