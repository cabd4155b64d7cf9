// All 16 384 pairs of topologies with tp <= 8, cp <= 4, pp <= 4 on each side, for GQA and MLA. What
// else there is (cp shardings, page sizes, policies, prefixes) goes through the rows of a pairwise
// covering array, one row a pair of topologies, several hundred pairs a row.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <tuple>
#include <vector>

#include "planner/proof/covering.h"
#include "planner/proof/random_trials.h"

namespace baton::planner {
namespace {

constexpr uint32_t kLayers = 5;
constexpr uint64_t kTokens = 13;
constexpr int kTopologies = 4 * 4 * 8;

enum Factor { kSourceSharding, kTargetSharding, kTargetPage, kTpHolder, kCpHolder, kPrefix };

const std::vector<int>& Sizes() {
  static const auto& sizes = *new std::vector<int>{6, 6, 3, 2, 2, 3};
  return sizes;
}

const std::vector<CoveringRow>& Rows() {
  static const auto& rows = *new std::vector<CoveringRow>(PairwiseRows(Sizes()));
  return rows;
}

// Mixed, so that no axis of a topology goes with the same rows always.
size_t RowOf(int from, int to) {
  const uint64_t mixed = (uint64_t(from) * kTopologies + to + 1) * 0x9e3779b97f4a7c15;
  return (mixed >> 32) % Rows().size();
}

RankCoord Topology(int i) { return {1, 1u + i / 32, 1u + i / 8 % 4, 1u + i % 8}; }

class ExactlyOnce : public testing::TestWithParam<std::tuple<ModelKind, int>> {};

std::unique_ptr<ModelServer> Server(ModelKind kind, int topology, CpSharding sharding,
                                    uint32_t page_tokens, Random& random) {
  ServerSpec spec = MakeSpec(kind, Topology(topology), sharding, kLayers, page_tokens, random);
  LayoutOptions options = RandomOptions(spec, kTokens, random);
  return std::make_unique<ModelServer>(std::move(spec), std::move(options));
}

TEST_P(ExactlyOnce, HoldsForAllPairsOfSmallTopologies) {
  const auto [kind, part] = GetParam();
  Tally tally;
  ASSERT_EQ(MissingPairs(Rows(), Sizes()), 0u);
  std::vector<bool> rows_met(Rows().size(), false);
  for (int from = part; from < kTopologies; from += 16) {
    Random random(from * 2 + (kind == ModelKind::kMla));
    // One source for each sharding, used with every target.
    std::vector<std::unique_ptr<ModelServer>> sources;
    for (int s = 0; s < 6; ++s) {
      sources.push_back(Server(kind, from, static_cast<CpSharding>(s + 1), 4, random));
      sources.back()->OpenRoom(kTokens, 0, from);
    }
    for (int to = 0; to < kTopologies; ++to) {
      const size_t turn = RowOf(from, to);
      const CoveringRow& row = Rows()[turn];
      rows_met[turn] = true;
      constexpr uint32_t kPageTokens[] = {4, 2, 8};
      constexpr uint64_t kPrefixes[] = {0, 6, 4};
      const auto target = Server(kind, to, static_cast<CpSharding>(row[kTargetSharding] + 1),
                                 kPageTokens[row[kTargetPage]], random);
      Trial trial;
      trial.source = sources[row[kSourceSharding]].get();
      trial.target = target.get();
      trial.policy = {static_cast<HolderPolicy>(1 + row[kTpHolder]),
                      static_cast<HolderPolicy>(1 + row[kCpHolder])};
      trial.tokens = {kTokens, kPrefixes[row[kPrefix]]};
      trial.chunks = RandomChunks(trial.tokens, kLayers, random);
      target->OpenRoom(kTokens, trial.tokens.prefix, to);
      ++tally.pairs;
      for (const RankCoord& coord : target->Ranks()) {
        const absl::Status status = CheckTarget(trial, coord, &tally);
        ASSERT_TRUE(status.ok()) << Describe(trial, coord) << ": " << status;
      }
    }
  }
  EXPECT_EQ(std::count(rows_met.begin(), rows_met.end(), false), 0);
  std::cout << "checked " << tally.pairs << " pairs of topologies with " << Rows().size()
            << " rows of a covering array: " << tally.targets << " targets, " << tally.plans
            << " plans, " << tally.runs << " runs, " << tally.bytes << " bytes\n";
}

INSTANTIATE_TEST_SUITE_P(Parts, ExactlyOnce,
                         testing::Combine(testing::Values(ModelKind::kGqa, ModelKind::kMla),
                                          testing::Range(0, 16)));

}  // namespace
}  // namespace baton::planner
