// A pairwise covering of everything that a pair of servers and a room can differ in: each value of
// each factor meets each value of every other one, and every target of every row is held against
// the oracle, thoroughly.
#include <gtest/gtest.h>

#include <iostream>
#include <vector>

#include "planner/proof/covering.h"
#include "planner/proof/random_trials.h"

namespace baton::planner {
namespace {

enum Factor {
  kSourceTp,
  kSourceCp,
  kSourcePp,
  kTargetTp,
  kTargetCp,
  kTargetPp,
  kModel,
  kSourceSharding,
  kTargetSharding,
  kSourcePageTokens,
  kTargetPageTokens,
  kSourcePageStyle,
  kTargetPageStyle,
  kSourceMix,
  kTargetMix,
  kSourceRegions,
  kTargetRegions,
  kSourceStages,
  kTargetStages,
  kSourceDraft,
  kTargetDraft,
  kHeads,
  kLayers,
  kTpHolder,
  kCpHolder,
  kTotal,
  kPrefix,
  kChunks,
  kAuxStage,
  kFactors
};

constexpr uint32_t kPageTokens[] = {4, 8, 16};
constexpr uint32_t kHeadCounts[] = {8, 2, 6};
constexpr uint32_t kLayerCounts[] = {5, 1, 12};
constexpr uint64_t kTotals[] = {37, 1, 16, 0};

const std::vector<int>& Sizes() {
  static const auto& sizes = *new std::vector<int>{8,
                                                   4,
                                                   4,
                                                   8,
                                                   4,
                                                   4,
                                                   kModelKinds,
                                                   kCpShardings,
                                                   kCpShardings,
                                                   3,
                                                   3,
                                                   2,
                                                   2,
                                                   4,
                                                   4,
                                                   2,
                                                   2,
                                                   2,
                                                   2,
                                                   2,
                                                   2,
                                                   3,
                                                   3,
                                                   2,
                                                   2,
                                                   4,
                                                   4,
                                                   5,
                                                   2};
  return sizes;
}

ServerSpec Spec(const CoveringRow& row, bool source, Random& random) {
  SpecShape shape;
  const auto value = [&](Factor of_source, Factor of_target) {
    return static_cast<uint32_t>(row[source ? of_source : of_target]);
  };
  shape.sizes = {1, 1 + value(kSourcePp, kTargetPp), 1 + value(kSourceCp, kTargetCp),
                 1 + value(kSourceTp, kTargetTp)};
  shape.cp_sharding = static_cast<CpSharding>(1 + value(kSourceSharding, kTargetSharding));
  shape.layers = kLayerCounts[row[kLayers]];
  shape.heads = kHeadCounts[row[kHeads]];
  shape.page_tokens = kPageTokens[value(kSourcePageTokens, kTargetPageTokens)];
  shape.draft = value(kSourceDraft, kTargetDraft) == 0;
  shape.stages = value(kSourceStages, kTargetStages) == 0 ? StageStyle::kEven : StageStyle::kUneven;
  shape.last_stage = row[kAuxStage] == 1;
  return MakeSpec(static_cast<ModelKind>(row[kModel]), shape, random);
}

LayoutOptions Options(const CoveringRow& row, bool source, const ServerSpec& spec,
                      uint64_t tokens) {
  LayoutOptions options;
  for (const PageGroup& group : spec.page_groups) {
    options.pages.push_back(static_cast<uint32_t>(tokens / group.page_tokens + 2));
  }
  options.rows = 3;
  options.page_style =
      static_cast<PageStyle>(1 + row[source ? kSourcePageStyle : kTargetPageStyle]);
  options.mix_style = static_cast<MixStyle>(1 + row[source ? kSourceMix : kTargetMix]);
  options.region_style =
      static_cast<RegionStyle>(1 + row[source ? kSourceRegions : kTargetRegions]);
  options.align = source ? 1 : 32;
  return options;
}

// None, whole pages, an end inside a page, everything.
uint64_t PrefixOf(int value, uint64_t total, uint32_t page_tokens) {
  const uint64_t wanted[] = {0, page_tokens, page_tokens + 1, total};
  return std::min(wanted[value], total);
}

// At once; ends inside pages; ends of pages; by layers; with an empty last chunk.
std::vector<ChunkRange> Chunks(int value, const RoomTokens& tokens, uint32_t page_tokens) {
  if (value == 0) return {{0, tokens.total, 0, UINT32_MAX, true}};
  std::vector<ChunkRange> chunks;
  const uint64_t step = value == 1 ? 5 : value == 2 ? page_tokens : tokens.total;
  for (uint64_t at = 0; at < tokens.total; at += step) {
    const uint64_t end = std::min(at + step, tokens.total);
    if (value == 3) chunks.push_back({at, end, 0, 2, false});
    chunks.push_back({at, end, value == 3 ? 2u : 0u, UINT32_MAX, false});
  }
  if (value == 4 || chunks.empty()) {
    chunks.push_back({tokens.total, tokens.total, 0, UINT32_MAX, false});
  }
  chunks.back().last = true;
  return chunks;
}

void Check(size_t number, const CoveringRow& row, Tally* tally) {
  Random random(number);
  const uint64_t total = kTotals[row[kTotal]];
  const ServerSpec source_spec = Spec(row, true, random);
  const ServerSpec target_spec = Spec(row, false, random);
  ModelServer source(source_spec, Options(row, true, source_spec, total));
  ModelServer target(target_spec, Options(row, false, target_spec, total));
  Trial trial;
  trial.source = &source;
  trial.target = &target;
  trial.policy = {static_cast<HolderPolicy>(1 + row[kTpHolder]),
                  static_cast<HolderPolicy>(1 + row[kCpHolder])};
  const uint32_t page_tokens = target_spec.page_groups[0].page_tokens;
  trial.tokens = {total, PrefixOf(row[kPrefix], total, page_tokens)};
  trial.chunks = Chunks(row[kChunks], trial.tokens, page_tokens);
  trial.thorough = true;
  source.OpenRoom(total, 0, number);
  target.OpenRoom(total, trial.tokens.prefix, number);
  ++tally->pairs;
  for (const RankCoord& coord : target.Ranks()) {
    const absl::Status status = CheckTarget(trial, coord, tally);
    ASSERT_TRUE(status.ok()) << "row " << number << ", " << Describe(trial, coord) << ": "
                             << status;
  }
}

// The covering array with every value turned on by `turn`: another one, with other threes and
// fours.
std::vector<CoveringRow> Turned(std::vector<CoveringRow> rows, int turn) {
  for (CoveringRow& row : rows) {
    for (size_t f = 0; f < row.size(); ++f) {
      row[f] = static_cast<int>((row[f] + turn * (f + 1)) % Sizes()[f]);
    }
  }
  return rows;
}

class ExactlyOnce : public testing::TestWithParam<int> {};

TEST_P(ExactlyOnce, HoldsForAPairwiseCoveringOfEverything) {
  ASSERT_EQ(Sizes().size(), static_cast<size_t>(kFactors));
  const auto rows = Turned(PairwiseRows(Sizes()), GetParam());
  ASSERT_EQ(MissingPairs(rows, Sizes()), 0u);
  Tally tally;
  for (size_t i = 0; i < rows.size(); ++i) {
    Check(i, rows[i], &tally);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(tally.pairs, rows.size());
  std::cout << "checked " << rows.size() << " rows that hold all " << AllPairs(Sizes())
            << " pairs of values of " << Sizes().size() << " factors: " << tally.targets
            << " targets, " << tally.plans << " plans, " << tally.runs << " runs, " << tally.bytes
            << " bytes\n";
}

INSTANTIATE_TEST_SUITE_P(Turns, ExactlyOnce, testing::Range(0, 8));

}  // namespace
}  // namespace baton::planner
