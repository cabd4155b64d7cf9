#include "tests/demo/model/ownership.h"

#include <algorithm>

namespace baton::demo {
namespace {

using planner::CpSharding;
using planner::Kind;
using planner::TensorSpec;

// Which of `runs` balanced contiguous runs has item `index` of `count`: the first count mod runs
// of them have one item more. Counted out, not computed.
uint64_t RunOf(uint64_t index, uint64_t count, uint64_t runs) {
  uint64_t end = 0;
  for (uint64_t run = 0; run < runs; ++run) {
    end += count / runs + (run < count % runs ? 1 : 0);
    if (index < end) return run;
  }
  return runs;
}

// Heads of a block of `heads` from `first` that tp rank `tp` of `size` holds: at least one, so that
// where there are fewer heads than ranks, consecutive ranks hold the same one.
void AddHeads(uint32_t first, uint32_t heads, uint32_t tp, uint32_t size,
              std::vector<uint32_t>* out) {
  const uint32_t begin = tp * heads / size;
  for (uint32_t head = 0; head < heads; ++head) {
    if (head == begin || (head > begin && head < (tp + 1) * heads / size)) {
      out->push_back(first + head);
    }
  }
}

}  // namespace

bool Ownership::HoldsLayer(const TensorSpec& tensor, uint32_t layer) const {
  if (tensor.kind == Kind::kAux) return true;
  const std::vector<uint32_t>& stage = spec_->stages[coord_.pp];
  auto found = std::find(stage.begin(), stage.end(), layer);
  if (found == stage.end()) return false;
  if (std::find(tensor.layers.begin(), tensor.layers.end(), layer) == tensor.layers.end()) {
    return false;
  }
  if (spec_->cp_sharding != CpSharding::kLayerSplit) return true;
  return RunOf(found - stage.begin(), stage.size(), spec_->sizes.cp) == coord_.cp;
}

std::vector<uint32_t> Ownership::Heads(const TensorSpec& tensor) const {
  std::vector<uint32_t> heads;
  const uint32_t tp = tensor.tp_sharded ? coord_.tp : 0;
  const uint32_t size = tensor.tp_sharded ? spec_->sizes.tp : 1;
  if (tensor.sub_blocks.empty()) {
    AddHeads(0, tensor.heads, tp, size, &heads);
    return heads;
  }
  uint32_t first = 0;
  for (uint32_t block : tensor.sub_blocks) {
    AddHeads(first, block, tp, size, &heads);
    first += block;
  }
  return heads;
}

bool Ownership::HoldsPage(uint64_t page, uint64_t pages) const {
  const uint64_t cp = spec_->sizes.cp;
  switch (spec_->cp_sharding) {
    case CpSharding::kReplicated:
    case CpSharding::kLayerSplit:
      return true;
    case CpSharding::kContiguous:
      return RunOf(page, pages, cp) == coord_.cp;
    case CpSharding::kInterleavedPage:
      return page % cp == coord_.cp;
    case CpSharding::kInterleavedPageTp:
      return page % spec_->sizes.tp == coord_.tp;
    case CpSharding::kInterleavedPageCpTp:
      return page % (cp * spec_->sizes.tp) == coord_.cp * spec_->sizes.tp + coord_.tp;
    case CpSharding::kZigzag: {
      uint64_t run = RunOf(page, pages, 2 * cp);
      return run == coord_.cp || run == 2 * cp - 1 - coord_.cp;
    }
    case CpSharding::kInterleavedToken:
      break;
  }
  return false;  // by token, not by page
}

std::vector<uint64_t> Ownership::Tokens(uint32_t page_group, uint64_t total_tokens) const {
  const uint64_t page_tokens = spec_->page_groups[page_group].page_tokens;
  const uint64_t pages = (total_tokens + page_tokens - 1) / page_tokens;
  const bool by_token = spec_->cp_sharding == CpSharding::kInterleavedToken;
  std::vector<uint64_t> tokens;
  bool mine = false;
  for (uint64_t token = 0; token < total_tokens; ++token) {
    if (by_token) {
      mine = token % spec_->sizes.cp == coord_.cp;
    } else if (token % page_tokens == 0) {
      mine = HoldsPage(token / page_tokens, pages);
    }
    if (mine) tokens.push_back(token);
  }
  return tokens;
}

uint64_t Ownership::TokensMax(uint32_t page_group, uint64_t total_tokens) const {
  const uint64_t page_tokens = spec_->page_groups[page_group].page_tokens;
  switch (spec_->cp_sharding) {
    case CpSharding::kReplicated:
    case CpSharding::kLayerSplit:
      return total_tokens;
    case CpSharding::kContiguous:
    case CpSharding::kInterleavedToken:
    case CpSharding::kInterleavedPage:
    case CpSharding::kZigzag:
      break;
    case CpSharding::kInterleavedPageTp:
    case CpSharding::kInterleavedPageCpTp:
      return total_tokens / spec_->sizes.tp + 2 * page_tokens;
  }
  return total_tokens / spec_->sizes.cp + 2 * page_tokens;
}

}  // namespace baton::demo
