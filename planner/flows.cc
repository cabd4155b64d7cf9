#include "planner/flows.h"

#include <algorithm>

#include "planner/break.h"
#include "planner/split.h"

namespace baton::planner {
namespace {

// Heads of one separately split block on a rank: global range, and where the local ones begin.
struct BlockHeads {
  Span64 heads;
  uint64_t local = 0;
};

BlockHeads HeadsInBlock(const TensorSpec& tensor, Span64 block, uint64_t local_begin, uint32_t tp,
                        uint32_t rank) {
  if (!tensor.tp_sharded) return {block, local_begin};
  if (Broken(1)) rank = rank % block.size() * tp / block.size();
  const Span64 own = HeadsOfRank(block.size(), tp, rank);
  return {{block.begin + own.begin, block.begin + own.end}, local_begin};
}

uint32_t SetIndex(const EntrySet& set, std::vector<EntrySet>* sets) {
  const auto at = std::find(sets->begin(), sets->end(), set);
  const uint32_t index = static_cast<uint32_t>(at - sets->begin());
  if (at == sets->end()) sets->push_back(set);
  return index;
}

// What one of the equal holders sends of bytes [begin, begin + bytes) of all that they hold alike.
Share ShareOf(const PairContext::HeadFlow& head, uint64_t bytes, unsigned __int128 begin,
              unsigned __int128 total) {
  const unsigned __int128 of = static_cast<unsigned __int128>(bytes) * head.holders;
  const auto part = [&](uint32_t holder) {
    const unsigned __int128 cut = total * holder;
    const unsigned __int128 from = begin * head.holders;
    return static_cast<uint64_t>(cut <= from ? 0 : std::min(cut - from, of));
  };
  return {part(head.holder), part(head.holder + 1), static_cast<uint64_t>(of)};
}

}  // namespace

uint32_t FindTensor(const ServerSpec& spec, const TensorSpec& tensor) {
  for (uint32_t i = 0; i < spec.tensors.size(); ++i) {
    if (spec.tensors[i].kind == tensor.kind && spec.tensors[i].name == tensor.name) return i;
  }
  return kNoTensor;
}

uint32_t GranuleTokens(const ServerSpec& spec, uint32_t page_group) {
  uint32_t granule = 1;
  for (const TensorSpec& tensor : spec.tensors) {
    if (IsRow(tensor.kind) || tensor.page_group != page_group) continue;
    granule = std::max(granule, tensor.tokens_per_entry);
  }
  return granule;
}

EntrySharding ShardingOf(const ServerSpec& spec, uint32_t page_group, uint32_t tokens_per_entry,
                         const RankCoord& coord) {
  EntrySharding sharding;
  sharding.page_entries = spec.page_groups[page_group].page_tokens / tokens_per_entry;
  const EntryRank at = EntryRankOf(spec, coord);
  if (at.ranks == 1) return sharding;
  sharding.kind = PagesOverTp(spec.cp_sharding) ? CpSharding::kInterleavedPage : spec.cp_sharding;
  sharding.ranks = at.ranks;
  sharding.rank = at.rank;
  sharding.granule = GranuleTokens(spec, page_group) / tokens_per_entry;
  return sharding;
}

EntryRank EntryRankOf(const ServerSpec& spec, const RankCoord& coord) {
  switch (spec.cp_sharding) {
    case CpSharding::kReplicated:
    case CpSharding::kLayerSplit:
      return {};
    case CpSharding::kInterleavedPageTp:
      return {spec.sizes.tp, coord.tp};
    case CpSharding::kInterleavedPageCpTp:
      return {spec.sizes.cp * spec.sizes.tp, coord.cp * spec.sizes.tp + coord.tp};
    case CpSharding::kContiguous:
    case CpSharding::kInterleavedToken:
    case CpSharding::kInterleavedPage:
    case CpSharding::kZigzag:
      return {spec.sizes.cp, coord.cp};
  }
  return {};
}

PairContext::PairContext(const ServerSpec& source, const ServerSpec& target,
                         const RoutePolicy& policy)
    : source_(source),
      target_(target),
      policy_(policy),
      source_layers_(source),
      target_layers_(target) {
  for (uint32_t t = 0; t < target.tensors.size(); ++t) {
    const uint32_t s = FindTensor(source, target.tensors[t]);
    if (s == kNoTensor) continue;
    Match match{s, t, {}};
    const TensorSpec& from = source.tensors[s];
    const TensorSpec& to = target.tensors[t];
    match.set.rows = IsRow(to.kind);
    if (!match.set.rows) {
      match.set.tokens_per_entry = to.tokens_per_entry;
      match.set.window_tokens = target.page_groups[to.page_group].window_tokens;
      match.set.source = ShardingOf(source, from.page_group, from.tokens_per_entry, {});
      match.set.target = ShardingOf(target, to.page_group, to.tokens_per_entry, {});
    }
    matches_.push_back(match);
  }
}

EntrySet PairContext::SetOf(const Match& match, const RankCoord& source,
                            const RankCoord& target) const {
  EntrySet set = match.set;
  if (set.source.ranks > 1) set.source.rank = EntryRankOf(source_, source).rank;
  if (set.target.ranks > 1) set.target.rank = EntryRankOf(target_, target).rank;
  return set;
}

bool PairContext::CommonLayer(const Match& match, uint32_t layer, const RankCoord& source,
                              const RankCoord& target) const {
  if (const TensorSpec& from = source_.tensors[match.source]; from.kind == Kind::kAux) {
    if (from.last_stage && !Broken(14)) return source.pp == source_.sizes.pp - 1;
    return (Broken(12) ? source.pp == target.pp
                       : source.pp == Elect(target.pp, target_.sizes.pp, source_.sizes.pp));
  }
  return source_layers_.Home(layer).At(source) && target_layers_.Home(layer).At(target);
}

bool PairContext::HasCommonLayer(const Match& match, const RankCoord& source,
                                 const RankCoord& target) const {
  const auto& layers = target_.tensors[match.target].layers;
  return std::any_of(layers.begin(), layers.end(),
                     [&](uint32_t layer) { return CommonLayer(match, layer, source, target); });
}

uint64_t PairContext::CommonLayers(const HeadFlow& head, const RankCoord& source,
                                   const RankCoord& target) const {
  const Match& match = matches_[head.match];
  const auto& layers = target_.tensors[match.target].layers;
  return std::count_if(layers.begin(), layers.end(),
                       [&](uint32_t layer) { return CommonLayer(match, layer, source, target); });
}

bool PairContext::PickCp(const TensorSpec& tensor, const RankCoord& source, const RankCoord& target,
                         HeadFlow* flow) const {
  const bool alike =
      tensor.kind == Kind::kAux || source_.cp_sharding == CpSharding::kReplicated ||
      source_.cp_sharding == CpSharding::kInterleavedPageTp ||
      (tensor.kind == Kind::kState && source_.cp_sharding != CpSharding::kLayerSplit);
  if (!alike || source_.sizes.cp == 1) return true;
  if (policy_.cp_holder == HolderPolicy::kSpread && tensor.kind != Kind::kAux) {
    flow->holders *= source_.sizes.cp;
    flow->holder = flow->holder * source_.sizes.cp + source.cp;
    return true;
  }
  return source.cp == Elect(target.cp, target_.sizes.cp, source_.sizes.cp) || Broken(3);
}

void PairContext::PickHeads(const Match& match, const RankCoord& source, const RankCoord& target,
                            HeadFlow flow, std::vector<HeadFlow>* heads) const {
  const TensorSpec& from = source_.tensors[match.source];
  const TensorSpec& to = target_.tensors[match.target];
  const uint32_t one_block[] = {to.heads};
  const bool split = !to.sub_blocks.empty();
  const uint32_t* blocks = split ? to.sub_blocks.data() : one_block;
  const size_t block_count = split ? to.sub_blocks.size() : 1;
  const bool spread = policy_.tp_holder == HolderPolicy::kSpread && to.kind != Kind::kAux;
  const bool paged_over_tp = PagesOverTp(source_.cp_sharding) && !IsRow(from.kind);
  uint64_t base = 0;
  uint64_t source_local = 0;
  uint64_t target_local = 0;
  for (size_t b = 0; b < block_count; ++b) {
    const Span64 block{base, base + blocks[b]};
    base = block.end;
    const BlockHeads has = HeadsInBlock(from, block, source_local, source_.sizes.tp, source.tp);
    const BlockHeads wants = HeadsInBlock(to, block, target_local, target_.sizes.tp, target.tp);
    source_local += has.heads.size();
    target_local += wants.heads.size();
    const Span64 both = Intersect(has.heads, wants.heads);
    if (both.empty()) continue;
    const Span64 ranks = paged_over_tp && !Broken(15) ? Span64{source.tp, source.tp + uint64_t{1}}
                         : from.tp_sharded
                             ? RanksOfHead(block.size(), source_.sizes.tp, both.begin - block.begin)
                             : Span64{0, source_.sizes.tp};
    HeadFlow picked = flow;
    picked.head_begin = static_cast<uint32_t>(both.begin);
    picked.head_end = static_cast<uint32_t>(both.end);
    picked.source_head = static_cast<uint32_t>(has.local + both.begin - has.heads.begin);
    picked.target_head =
        static_cast<uint32_t>(wants.local + (Broken(4) ? 0 : both.begin - wants.heads.begin));
    picked.holders_begin = static_cast<uint32_t>(ranks.begin);
    if (spread) {
      picked.holders = static_cast<uint32_t>(flow.holders * ranks.size());
      picked.holder += static_cast<uint32_t>((source.tp - ranks.begin) * flow.holders);
    } else {
      const uint64_t near = Elect(target.tp, target_.sizes.tp, source_.sizes.tp);
      if (source.tp != std::clamp(near, ranks.begin, ranks.end - 1) && !Broken(2)) continue;
    }
    heads->push_back(picked);
  }
}

void PairContext::HeadFlows(const RankCoord& source, const RankCoord& target,
                            std::vector<HeadFlow>* heads, std::vector<EntrySet>* sets) const {
  for (uint32_t m = 0; m < matches_.size(); ++m) {
    const Match& match = matches_[m];
    HeadFlow flow;
    flow.match = m;
    if (!PickCp(source_.tensors[match.source], source, target, &flow)) continue;
    if (!HasCommonLayer(match, source, target)) continue;
    const size_t before = heads->size();
    PickHeads(match, source, target, flow, heads);
    if (heads->size() == before) continue;
    const uint32_t set = SetIndex(SetOf(match, source, target), sets);
    for (size_t i = before; i < heads->size(); ++i) (*heads)[i].set = set;
  }
}

uint64_t PairContext::EntryBytes(const HeadFlow& head) const {
  return uint64_t{head.head_end - head.head_begin} *
         target_.tensors[matches_[head.match].target].head_bytes;
}

void PairContext::Flows(const RankCoord& source, const RankCoord& target, std::vector<Flow>* flows,
                        std::vector<EntrySet>* sets) const {
  std::vector<HeadFlow> heads;
  HeadFlows(source, target, &heads, sets);
  std::vector<unsigned __int128> begins(heads.size());
  std::vector<unsigned __int128> totals(heads.size());
  for (size_t i = 0; i < heads.size(); ++i) {
    if (heads[i].holders == 1) continue;
    const uint64_t bytes = EntryBytes(heads[i]) * CommonLayers(heads[i], source, target);
    for (size_t j = 0; j < heads.size(); ++j) {
      if (!heads[i].SameHolders(heads[j])) continue;
      totals[j] += bytes;
      if (j > i) begins[j] += bytes;
    }
  }
  for (size_t i = 0; i < heads.size(); ++i) {
    const HeadFlow& head = heads[i];
    const Match& match = matches_[head.match];
    const uint64_t bytes = EntryBytes(head);
    for (uint32_t layer : target_.tensors[match.target].layers) {
      if (!CommonLayer(match, layer, source, target)) continue;
      Flow flow{match.source,     match.target,  layer,
                head.head_begin,  head.head_end, head.source_head,
                head.target_head, head.set,      {}};
      if (head.holders > 1) {
        flow.share = ShareOf(head, bytes, begins[i], totals[i]);
        begins[i] += bytes;
      }
      if (flow.share.begin < flow.share.end) flows->push_back(flow);
    }
  }
}

bool PairContext::Moves(const RankCoord& source, const RankCoord& target,
                        const RoomTokens& tokens) const {
  std::vector<HeadFlow> heads;
  std::vector<EntrySet> sets;
  HeadFlows(source, target, &heads, &sets);
  if (heads.empty()) return false;
  uint64_t largest = 0;
  bool shared = false;
  for (const HeadFlow& head : heads) largest = std::max(largest, EntryBytes(head));
  for (const HeadFlow& head : heads) {
    const uint64_t entries = SharedEntries(sets[head.set], tokens).Count();
    if (entries == 0) continue;
    if (head.holders == 1) return true;
    // A part as long as two entries holds a whole one, wherever it begins.
    const unsigned __int128 bytes = static_cast<unsigned __int128>(EntryBytes(head)) * entries *
                                    CommonLayers(head, source, target);
    if (bytes >= static_cast<unsigned __int128>(largest) * 2 * head.holders) return true;
    shared = true;
  }
  if (!shared) return false;
  std::vector<Flow> flows;
  sets.clear();
  Flows(source, target, &flows, &sets);
  return std::any_of(flows.begin(), flows.end(), [&](const Flow& flow) {
    return !flow.share.Of(SharedEntries(sets[flow.set], tokens).Count()).empty();
  });
}

}  // namespace baton::planner
