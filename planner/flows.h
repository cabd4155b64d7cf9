// Who sends what to whom, without addresses: the rules of ownership and election, applied to one
// pair of ranks. Everything else (plans, sources, explanations) is derived from here.
#ifndef BATON_PLANNER_FLOWS_H_
#define BATON_PLANNER_FLOWS_H_

#include <cstdint>
#include <vector>

#include "common/ids.h"
#include "planner/descriptor.h"
#include "planner/layer_map.h"
#include "planner/layout.h"
#include "planner/shared_entries.h"

namespace baton::planner {

// One head range of one tensor of one layer, for the entries of one set (or a share of them).
struct Flow {
  uint32_t source_tensor = 0;
  uint32_t target_tensor = 0;
  uint32_t layer = 0;
  uint32_t head_begin = 0;  // over the whole server
  uint32_t head_end = 0;
  uint32_t source_head = 0;  // among the rank's own
  uint32_t target_head = 0;
  uint32_t set = 0;
  Share share;
};

// What all pairs of two servers have in common. Both specs must be valid, compatible, and outlive
// it. Thread-compatible.
class PairContext {
 public:
  PairContext(const ServerSpec& source, const ServerSpec& target, const RoutePolicy& policy);

  // A head range that `source` sends to `target` in every common layer of a tensor.
  struct HeadFlow {
    uint32_t match = 0;
    uint32_t head_begin = 0;
    uint32_t head_end = 0;
    uint32_t source_head = 0;
    uint32_t target_head = 0;
    uint32_t set = 0;
    // Equal holders of these heads, and which of them the source is.
    uint32_t holders = 1;
    uint32_t holder = 0;
    uint32_t holders_begin = 0;  // first tp rank among them: tells apart sets of holders

    bool SameHolders(const HeadFlow& other) const {
      return set == other.set && holders == other.holders && holders_begin == other.holders_begin;
    }
  };

  // Appends to `heads` and `sets` (whose indices the head flows carry).
  void HeadFlows(const RankCoord& source, const RankCoord& target, std::vector<HeadFlow>* heads,
                 std::vector<EntrySet>* sets) const;

  // Appends one flow for each layer. Shares are dealt out over all layers of equal holders.
  void Flows(const RankCoord& source, const RankCoord& target, std::vector<Flow>* flows,
             std::vector<EntrySet>* sets) const;

  // Whether `source` writes at least one byte to `target` for such a room.
  bool Moves(const RankCoord& source, const RankCoord& target, const RoomTokens& tokens) const;

  const ServerSpec& source() const { return source_; }
  const ServerSpec& target() const { return target_; }
  const LayerMap& source_layers() const { return source_layers_; }
  const LayerMap& target_layers() const { return target_layers_; }

 private:
  struct Match {
    uint32_t source = 0;
    uint32_t target = 0;
    EntrySet set;  // without the ranks
  };

  EntrySet SetOf(const Match& match, const RankCoord& source, const RankCoord& target) const;
  bool HasCommonLayer(const Match& match, const RankCoord& source, const RankCoord& target) const;
  uint64_t CommonLayers(const HeadFlow& head, const RankCoord& source,
                        const RankCoord& target) const;
  uint64_t EntryBytes(const HeadFlow& head) const;
  bool CommonLayer(const Match& match, uint32_t layer, const RankCoord& source,
                   const RankCoord& target) const;
  // Among the cp ranks that hold a tensor alike: false when `source` is not to send at all.
  bool PickCp(const TensorSpec& tensor, const RankCoord& source, const RankCoord& target,
              HeadFlow* flow) const;
  void PickHeads(const Match& match, const RankCoord& source, const RankCoord& target,
                 HeadFlow flow, std::vector<HeadFlow>* heads) const;

  const ServerSpec& source_;
  const ServerSpec& target_;
  const RoutePolicy policy_;
  LayerMap source_layers_;
  LayerMap target_layers_;
  std::vector<Match> matches_;
};

// kNoTensor when `spec` has no tensor like `tensor` (by kind and name).
inline constexpr uint32_t kNoTensor = UINT32_MAX;
uint32_t FindTensor(const ServerSpec& spec, const TensorSpec& tensor);

// Entries that INTERLEAVED_TOKEN keeps together in a page group, in tokens.
uint32_t GranuleTokens(const ServerSpec& spec, uint32_t page_group);

// Whether the pages of a sequence are dealt out to tp ranks as well.
inline bool PagesOverTp(CpSharding sharding) {
  return sharding == CpSharding::kInterleavedPageTp || sharding == CpSharding::kInterleavedPageCpTp;
}

// The ranks that the entries of a sequence are dealt out to, and which of them `coord` is.
struct EntryRank {
  uint32_t ranks = 1;
  uint32_t rank = 0;
};
EntryRank EntryRankOf(const ServerSpec& spec, const RankCoord& coord);

// How entries of `tokens_per_entry` tokens of a page group lie over the ranks, and which one is
// `coord`.
EntrySharding ShardingOf(const ServerSpec& spec, uint32_t page_group, uint32_t tokens_per_entry,
                         const RankCoord& coord);

}  // namespace baton::planner

#endif  // BATON_PLANNER_FLOWS_H_
