#include "planner/oracle/oracle.h"

#include <algorithm>

namespace baton::oracle {
namespace {

using planner::CpSharding;
using planner::Kind;
using planner::TensorSpec;

bool PerRequest(const TensorSpec& tensor) {
  return tensor.kind == Kind::kState || tensor.kind == Kind::kAux;
}

// Deals `things` out in order to `hands`, the first ones getting one more; says whose thing i is.
uint32_t DealtTo(uint64_t things, uint32_t hands, uint64_t i) {
  for (uint32_t hand = 0; hand < hands; ++hand) {
    const uint64_t gets = things / hands + (hand < things % hands ? 1 : 0);
    if (i < gets) return hand;
    i -= gets;
  }
  return hands;
}

}  // namespace

Rank::Rank(const planner::ServerSpec& spec, const RankCoord& coord,
           const planner::RankLayout& layout, uint64_t total)
    : spec_(spec), coord_(coord), layout_(layout), total_(total) {
  DealLayers();
  for (uint32_t g = 0; g < spec.page_groups.size(); ++g) {
    own_tokens_.emplace_back();
    for (uint64_t token = 0; token < total; ++token) {
      if (OwnsToken(g, token)) own_tokens_[g].push_back(token);
    }
  }
  for (uint32_t t = 0; t < spec.tensors.size(); ++t) heads_.push_back(OwnHeads(t));
  for (size_t b = 0; b < layout.buffers.size(); ++b) {
    buffers_[{layout.buffers[b].tensor, layout.buffers[b].layer}] = b;
  }
}

void Rank::DealLayers() {
  std::vector<uint32_t> main;
  for (uint32_t layer : spec_.stages[coord_.pp]) {
    const bool draft =
        std::any_of(spec_.tensors.begin(), spec_.tensors.end(), [&](const TensorSpec& t) {
          return t.draft && t.kind != Kind::kAux &&
                 std::count(t.layers.begin(), t.layers.end(), layer) > 0;
        });
    layer_cp_[layer] = spec_.sizes.cp - 1;
    if (!draft) main.push_back(layer);
  }
  for (size_t i = 0; i < main.size(); ++i) {
    layer_cp_[main[i]] = DealtTo(main.size(), spec_.sizes.cp, i);
  }
}

std::vector<Cell> Rank::Cells() const {
  std::vector<Cell> cells;
  for (uint32_t t = 0; t < spec_.tensors.size(); ++t) {
    const TensorSpec& tensor = spec_.tensors[t];
    const uint64_t entries =
        PerRequest(tensor) ? 1 : (total_ + tensor.tokens_per_entry - 1) / tensor.tokens_per_entry;
    for (uint32_t layer : tensor.layers) {
      if (!OwnsLayer(t, layer)) continue;
      for (uint64_t entry = 0; entry < entries; ++entry) {
        for (uint32_t head : heads_[t]) {
          const Cell cell{t, layer, head, entry};
          if (Holds(cell)) cells.push_back(cell);
        }
      }
    }
  }
  return cells;
}

bool Rank::Holds(const Cell& cell) const {
  const TensorSpec& tensor = spec_.tensors[cell.tensor];
  const auto& heads = heads_[cell.tensor];
  if (!OwnsLayer(cell.tensor, cell.layer)) return false;
  if (std::find(heads.begin(), heads.end(), cell.head) == heads.end()) return false;
  if (PerRequest(tensor)) return cell.entry == 0;
  const auto& own = own_tokens_[tensor.page_group];
  return std::binary_search(own.begin(), own.end(), cell.entry * tensor.tokens_per_entry);
}

bool Rank::Serves(const Cell& cell) const {
  const bool elsewhere = spec_.tensors[cell.tensor].last_stage && coord_.pp + 1 != spec_.sizes.pp;
  return Holds(cell) && !elsewhere;
}

bool Rank::OwnsToken(uint32_t group, uint64_t token) const {
  const uint32_t cp = spec_.sizes.cp;
  const uint64_t page_tokens = spec_.page_groups[group].page_tokens;
  const uint64_t pages = (total_ + page_tokens - 1) / page_tokens;
  const uint64_t page = token / page_tokens;
  switch (spec_.cp_sharding) {
    case CpSharding::kReplicated:
    case CpSharding::kLayerSplit:
      return true;
    case CpSharding::kContiguous:
      return DealtTo(pages, cp, page) == coord_.cp;
    case CpSharding::kZigzag: {
      const uint32_t run = DealtTo(pages, 2 * cp, page);
      return run == coord_.cp || run + coord_.cp == 2 * cp - 1;
    }
    case CpSharding::kInterleavedPage:
      return page % cp == coord_.cp;
    case CpSharding::kInterleavedPageTp:
      return page % spec_.sizes.tp == coord_.tp;
    case CpSharding::kInterleavedPageCpTp:
      return page / spec_.sizes.tp % cp == coord_.cp && page % spec_.sizes.tp == coord_.tp;
    case CpSharding::kInterleavedToken: {
      uint32_t largest = 1;
      for (const TensorSpec& t : spec_.tensors) {
        if (!PerRequest(t) && t.page_group == group)
          largest = std::max(largest, t.tokens_per_entry);
      }
      return token / largest % cp == coord_.cp;
    }
  }
  return false;
}

bool Rank::OwnsLayer(uint32_t tensor, uint32_t layer) const {
  if (spec_.tensors[tensor].kind == Kind::kAux) return true;
  const auto& stage = spec_.stages[coord_.pp];
  if (std::count(stage.begin(), stage.end(), layer) == 0) return false;
  if (spec_.cp_sharding != CpSharding::kLayerSplit) return true;
  return layer_cp_.at(layer) == coord_.cp;
}

std::vector<uint32_t> Rank::OwnHeads(uint32_t tensor) const {
  const TensorSpec& t = spec_.tensors[tensor];
  std::vector<uint32_t> blocks = t.sub_blocks;
  if (blocks.empty()) blocks = {t.heads};
  std::vector<uint32_t> own;
  uint32_t base = 0;
  for (uint32_t block : blocks) {
    for (uint64_t head = 0; head < block; ++head) {
      // Integer forms of head >= floor(r * n / tp) and head < floor((r + 1) * n / tp).
      const uint64_t first = uint64_t{coord_.tp} * block / spec_.sizes.tp;
      const bool inside =
          head >= first && (head + 1) * spec_.sizes.tp <= (uint64_t{coord_.tp} + 1) * block;
      if (!t.tp_sharded || head == first || inside) own.push_back(base + head);
    }
    base += block;
  }
  return own;
}

uint64_t Rank::WindowBegin(uint32_t group) const {
  const uint64_t window = spec_.page_groups[group].window_tokens;
  return window == 0 || window >= total_ ? 0 : total_ - window;
}

bool Rank::Needed(const Cell& cell, uint64_t prefix) const {
  const TensorSpec& tensor = spec_.tensors[cell.tensor];
  if (PerRequest(tensor)) return true;
  const uint64_t end = std::min((cell.entry + 1) * tensor.tokens_per_entry, total_);
  return end > prefix && end > WindowBegin(tensor.page_group);
}

uint64_t Rank::OwnBefore(uint32_t group, uint64_t token) const {
  const auto& own = own_tokens_[group];
  return static_cast<uint64_t>(std::lower_bound(own.begin(), own.end(), token) - own.begin());
}

uint64_t Rank::PageAt(uint32_t group, uint64_t token) const {
  return OwnBefore(group, std::max(token, WindowBegin(group))) /
         spec_.page_groups[group].page_tokens;
}

uint64_t Rank::PagesFor(uint32_t group, uint64_t first_token, uint64_t end) const {
  const uint64_t page_tokens = spec_.page_groups[group].page_tokens;
  const uint64_t first = OwnBefore(group, std::max(first_token, WindowBegin(group)));
  const uint64_t past = OwnBefore(group, end);
  if (first >= past) return 0;
  return (past - 1) / page_tokens - first / page_tokens + 1;
}

Address Rank::AddressOf(const Cell& cell, const Lists& lists) const {
  const TensorSpec& tensor = spec_.tensors[cell.tensor];
  const planner::BufferLayout& b = layout_.buffers.at(buffers_.at({cell.tensor, cell.layer}));
  const auto& heads = heads_[cell.tensor];
  const uint64_t head = std::find(heads.begin(), heads.end(), cell.head) - heads.begin();
  uint64_t page = lists.aux_row;
  uint64_t slot = 0;
  if (tensor.kind == Kind::kState) {
    size_t index = 0;
    for (uint32_t t = 0; t < cell.tensor; ++t) index += spec_.tensors[t].kind == Kind::kState;
    page = lists.state_rows.at(index);
  } else if (tensor.kind != Kind::kAux) {
    const uint32_t g = tensor.page_group;
    const uint64_t page_tokens = spec_.page_groups[g].page_tokens;
    const uint64_t place = OwnBefore(g, cell.entry * tensor.tokens_per_entry);
    const uint64_t at = place / page_tokens - PageAt(g, lists.first_token);
    page = static_cast<uint32_t>(lists.pages.at(g).at(at));
    slot = place % page_tokens / tensor.tokens_per_entry;
  }
  return {b.region, b.offset + page * b.page_stride + slot * b.entry_stride + head * b.head_stride};
}

}  // namespace baton::oracle
