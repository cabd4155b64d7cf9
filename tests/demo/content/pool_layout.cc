#include "tests/demo/content/pool_layout.h"

#include <map>
#include <tuple>

namespace baton::demo {
namespace {

using planner::BufferLayout;
using planner::Kind;
using planner::TensorSpec;

bool HasRows(const TensorSpec& tensor) {
  return tensor.kind == Kind::kState || tensor.kind == Kind::kAux;
}

uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// Buffers whose pages lie side by side: page p of all, then page p + 1 of all.
struct Block {
  uint64_t page_bytes = 0;
  uint32_t pages = 0;
  std::vector<BufferLayout> buffers;  // offsets inside the block's first page
};

using BlockKey = std::tuple<bool, uint32_t, uint32_t, uint32_t>;  // rows, group, layer, tensor

BlockKey KeyOf(const TensorSpec& tensor, uint32_t index, uint32_t layer, PoolOrder order) {
  if (HasRows(tensor)) return {true, 0, layer, index};
  if (order == PoolOrder::kCross) return {false, tensor.page_group, 0, 0};
  if (order == PoolOrder::kJoined) return {false, tensor.page_group, layer, 0};
  return {false, tensor.page_group, layer, index};
}

std::map<BlockKey, Block> MakeBlocks(const Ownership& ownership, PoolOrder order,
                                     const PoolSizes& sizes) {
  std::map<BlockKey, Block> blocks;
  const planner::ServerSpec& spec = ownership.spec();
  for (uint32_t t = 0; t < spec.tensors.size(); ++t) {
    const TensorSpec& tensor = spec.tensors[t];
    const uint64_t heads = ownership.Heads(tensor).size();
    const uint64_t slots = HasRows(tensor) ? 1 : spec.page_groups[tensor.page_group].page_tokens;
    for (uint32_t layer : tensor.layers) {
      if (!ownership.HoldsLayer(tensor, layer)) continue;
      Block& block = blocks[KeyOf(tensor, t, layer, order)];
      block.pages = HasRows(tensor) ? sizes.rows : sizes.pages[tensor.page_group];
      BufferLayout buffer;
      buffer.tensor = t;
      buffer.layer = layer;
      buffer.offset = block.page_bytes;
      buffer.pages = block.pages;
      bool head_major = order == PoolOrder::kHead && !HasRows(tensor);
      buffer.entry_stride = head_major ? tensor.head_bytes : heads * tensor.head_bytes;
      buffer.head_stride = head_major ? slots * tensor.head_bytes : tensor.head_bytes;
      block.buffers.push_back(buffer);
      block.page_bytes += slots * heads * tensor.head_bytes;
    }
  }
  return blocks;
}

}  // namespace

PoolLayout LayOut(const Ownership& ownership, PoolOrder order, const PoolSizes& sizes) {
  constexpr uint64_t kAlign = 256;
  std::map<BlockKey, Block> blocks = MakeBlocks(ownership, order, sizes);
  uint64_t paged_bytes = 0;
  for (const auto& [key, block] : blocks) {
    if (!std::get<0>(key)) paged_bytes += RoundUp(block.page_bytes * block.pages, kAlign);
  }
  PoolLayout pool;
  pool.region_sizes = {0, 0, 0};
  for (auto& [key, block] : blocks) {
    uint32_t region = 2;
    if (!std::get<0>(key)) region = 2 * pool.region_sizes[0] < paged_bytes ? 0 : 1;
    uint64_t& end = pool.region_sizes[region];
    for (BufferLayout& buffer : block.buffers) {
      buffer.region = region;
      buffer.offset += end;
      buffer.page_stride = block.page_bytes;
      pool.layout.buffers.push_back(buffer);
    }
    end += RoundUp(block.page_bytes * block.pages, kAlign);
  }
  // A rank without layers of its own still hands over memory.
  for (uint64_t& size : pool.region_sizes) size = RoundUp(size == 0 ? 1 : size, 4096);
  return pool;
}

PoolSizes SizesFor(const Ownership& ownership, uint64_t tokens, uint32_t rows) {
  PoolSizes sizes;
  for (uint32_t g = 0; g < ownership.spec().page_groups.size(); ++g) {
    const uint64_t page_tokens = ownership.spec().page_groups[g].page_tokens;
    uint64_t pages = ownership.TokensMax(g, tokens) / page_tokens + 1;
    sizes.pages.push_back(static_cast<uint32_t>(pages + pages / 15 + 2));
  }
  sizes.rows = rows + rows / 15 + 2;
  return sizes;
}

}  // namespace baton::demo
