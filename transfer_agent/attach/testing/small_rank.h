// The smallest rank that can attach: one layer with K and V, pools in memfd.
#ifndef BATON_TRANSFER_AGENT_ATTACH_TESTING_SMALL_RANK_H_
#define BATON_TRANSFER_AGENT_ATTACH_TESTING_SMALL_RANK_H_

#include <cstdint>

#include "common/ids.h"
#include "planner/layout.h"

namespace baton::attach {

inline constexpr uint32_t kSmallPages = 64;
inline constexpr uint32_t kSmallPageBytes = 16 * 2 * 32;  // 16 tokens, 2 heads of 32 bytes
inline constexpr uint64_t kSmallPoolBytes = uint64_t{2} * kSmallPages * kSmallPageBytes;

inline planner::ServerSpec SmallSpec() {
  planner::ServerSpec spec;
  spec.stages = {{0}};
  spec.page_groups = {{16}};
  for (planner::Kind kind : {planner::Kind::kK, planner::Kind::kV}) {
    planner::TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = {0};
    tensor.dtype = "bf16";
    tensor.heads = 2;
    tensor.head_bytes = 32;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return spec;
}

// K in the first half of region 0, V in the second.
inline planner::RankLayout SmallLayout() {
  planner::RankLayout layout;
  for (uint32_t tensor : {0, 1}) {
    planner::BufferLayout buffer;
    buffer.tensor = tensor;
    buffer.offset = uint64_t{tensor} * kSmallPages * kSmallPageBytes;
    buffer.pages = kSmallPages;
    buffer.page_stride = kSmallPageBytes;
    buffer.entry_stride = 2 * 32;
    buffer.head_stride = 32;
    layout.buffers.push_back(buffer);
  }
  return layout;
}

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_TESTING_SMALL_RANK_H_
