// What a server's KV cache means (ServerSpec) and where one rank keeps its share (RankLayout).
// Plain values; proto/baton/v1/layout.proto documents every field, layout_proto.h converts.
#ifndef BATON_PLANNER_LAYOUT_H_
#define BATON_PLANNER_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/ids.h"

namespace baton::planner {

enum class Kind : uint8_t {
  kK = 1,
  kV = 2,
  kLatent = 3,
  kIndex = 4,
  kScale = 5,
  kState = 6,
  kAux = 7
};

enum class CpSharding : uint8_t {
  kReplicated = 1,
  kContiguous = 2,
  kInterleavedToken = 3,
  kInterleavedPage = 4,
  kZigzag = 5,
  kLayerSplit = 6,
  kInterleavedPageTp = 7,
  kInterleavedPageCpTp = 8,
};

struct TensorSpec {
  Kind kind = Kind::kK;
  std::string name;
  std::vector<uint32_t> layers;  // global ids, ascending
  uint32_t page_group = 0;       // index into ServerSpec::page_groups
  std::string dtype;
  uint32_t heads = 1;       // over the whole server
  uint32_t head_bytes = 0;  // one head of one entry
  uint32_t tokens_per_entry = 1;
  bool tp_sharded = false;
  std::vector<uint32_t> sub_blocks;  // STATE: heads of each separately split block
  bool draft = false;                // of a draft model: moved where both sides have it
  bool last_stage = false;           // AUX: the source's last pp rank sends it

  bool operator==(const TensorSpec&) const = default;
};

struct PageGroup {
  uint32_t page_tokens = 1;
  uint32_t window_tokens = 0;  // only the last so many of a room are kept; 0: all

  bool operator==(const PageGroup&) const = default;
};

// Equal on all ranks of an incarnation.
struct ServerSpec {
  RankCoord sizes{1, 1, 1, 1};
  std::vector<std::vector<uint32_t>> stages;  // layers of each pp rank
  CpSharding cp_sharding = CpSharding::kReplicated;
  std::vector<PageGroup> page_groups;
  std::vector<TensorSpec> tensors;

  bool operator==(const ServerSpec&) const = default;
};

// One tensor of one layer. Address of (page p, entry e, head h) in its region:
// offset + p * page_stride + e * entry_stride + h * head_stride. STATE, AUX: p is the row, e = 0.
struct BufferLayout {
  uint32_t tensor = 0;  // index into ServerSpec::tensors
  uint32_t layer = 0;
  uint32_t region = 0;
  uint64_t offset = 0;
  uint32_t pages = 0;
  uint64_t page_stride = 0;
  uint64_t entry_stride = 0;
  uint64_t head_stride = 0;

  bool operator==(const BufferLayout&) const = default;
};

struct RankLayout {
  std::vector<BufferLayout> buffers;

  bool operator==(const RankLayout&) const = default;
};

// Who sends where several ranks hold the same bytes.
enum class HolderPolicy : uint8_t { kOne = 1, kSpread = 2 };

struct RoutePolicy {
  HolderPolicy tp_holder = HolderPolicy::kOne;
  HolderPolicy cp_holder = HolderPolicy::kOne;

  bool operator==(const RoutePolicy&) const = default;
};

// Tokens of one room: positions [prefix, total) are to be moved.
struct RoomTokens {
  uint64_t total = 0;
  uint64_t prefix = 0;  // already at the target

  bool operator==(const RoomTokens&) const = default;
};

// Instead of a STATE row: the room has none. Both sides say so, or neither.
inline constexpr uint32_t kNoRow = UINT32_MAX;

// Every page group; bit g stands for group g.
inline constexpr uint16_t kAllGroups = 0xffff;

// What one chunk covers. STATE and AUX go with the chunk that has `last`.
struct ChunkRange {
  uint64_t token_begin = 0;
  uint64_t token_end = 0;
  uint32_t layer_begin = 0;
  uint32_t layer_end = UINT32_MAX;
  bool last = false;
  uint16_t groups = kAllGroups;  // page groups of the source's spec

  bool operator==(const ChunkRange&) const = default;
};

}  // namespace baton::planner

#endif  // BATON_PLANNER_LAYOUT_H_
