#include "transfer_agent/transport/chunk_order.h"

#include <algorithm>

namespace baton::transport {
namespace {

using planner::ChunkRange;

bool Has(const ChunkRange& chunk, uint32_t group) { return (chunk.groups >> group & 1) != 0; }

bool HasMoreLayers(const ChunkRange& next, const ChunkRange& before) {
  return next.token_begin == before.token_begin && next.token_end == before.token_end &&
         next.layer_begin >= before.layer_end;
}

}  // namespace

std::optional<ChunkOrder::Break> ChunkOrder::LeavesGap(const ChunkRange& next) const {
  for (uint32_t group = 0; group < planner::kPageGroupsMax; ++group) {
    if (!Has(next, group) || !reach_[group].has_value()) continue;
    const ChunkRange& before = reach_[group]->last;
    if (next.token_begin == before.token_end || HasMoreLayers(next, before)) continue;
    return Break{group, before};
  }
  return std::nullopt;
}

std::optional<ChunkOrder::Break> ChunkOrder::GoesBack(const ChunkRange& next) const {
  if (closed_.has_value()) return Break{0, *closed_};
  for (uint32_t group = 0; group < planner::kPageGroupsMax; ++group) {
    if (!Has(next, group) || !reach_[group].has_value()) continue;
    const ChunkRange& before = reach_[group]->last;
    if (next.token_begin >= before.token_end || HasMoreLayers(next, before)) continue;
    return Break{group, before};
  }
  return std::nullopt;
}

bool ChunkOrder::Overlaps(const ChunkOrder& other) const {
  if (closed_.has_value() && other.closed_.has_value()) return true;
  for (uint32_t group = 0; group < planner::kPageGroupsMax; ++group) {
    const std::optional<Reach>& a = reach_[group];
    const std::optional<Reach>& b = other.reach_[group];
    if (!a.has_value() || !b.has_value()) continue;
    if (a->first_token < b->last.token_end && b->first_token < a->last.token_end &&
        a->layer_begin < b->layer_end && b->layer_begin < a->layer_end) {
      return true;
    }
  }
  return false;
}

void ChunkOrder::Add(const ChunkRange& chunk) {
  if (chunk.last) closed_ = chunk;
  for (uint32_t group = 0; group < planner::kPageGroupsMax; ++group) {
    if (!Has(chunk, group)) continue;
    std::optional<Reach>& reach = reach_[group];
    if (!reach.has_value()) {
      reach = Reach{chunk.token_begin, chunk.layer_begin, chunk.layer_end, {}};
    }
    reach->layer_begin = std::min(reach->layer_begin, chunk.layer_begin);
    reach->layer_end = std::max(reach->layer_end, chunk.layer_end);
    reach->last = chunk;
  }
}

}  // namespace baton::transport
