// What a spec, a layout and a room may be at most. Numbers beyond these are refused at the edge, so
// that no product inside the planner can overflow 64 bits.
#ifndef BATON_PLANNER_LIMITS_H_
#define BATON_PLANNER_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace baton::planner {

inline constexpr uint32_t kAxisMax = 4096;      // of each of dp, pp, cp, tp
inline constexpr uint64_t kRanksMax = 1 << 16;  // of one server
inline constexpr uint32_t kLayerIdMax = 16383;
inline constexpr size_t kLayersMax = 4096;
inline constexpr size_t kPageGroupsMax = 16;  // as many as a ChunkRange has bits for
inline constexpr size_t kTensorsMax = 64;
inline constexpr size_t kSubBlocksMax = 16;
inline constexpr size_t kNameMax = 64;
inline constexpr uint32_t kPageTokensMax = 1 << 20;
inline constexpr uint32_t kHeadsMax = 1 << 20;
inline constexpr uint32_t kHeadBytesMax = 1 << 30;
inline constexpr uint64_t kEntryBytesMax = (uint64_t{1} << 32) - 1;  // of all heads
inline constexpr uint64_t kTokensMax = uint64_t{1} << 32;            // of one room
inline constexpr size_t kBuffersMax = 1 << 13;                       // of one rank
inline constexpr uint32_t kRegionsMax = 1 << 15;
inline constexpr uint64_t kRegionBytesMax = uint64_t{1} << 48;

}  // namespace baton::planner

#endif  // BATON_PLANNER_LIMITS_H_
