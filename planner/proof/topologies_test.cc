// All 16 384 pairs of topologies with tp <= 8, cp <= 4, pp <= 4 on each side, for GQA and MLA. The
// cp shardings, policies, prefixes and chunks take turns, so that every pair of values meets.
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <tuple>
#include <vector>

#include "planner/proof/random_trials.h"

namespace baton::planner {
namespace {

constexpr uint32_t kLayers = 5;
constexpr uint64_t kTokens = 13;
constexpr int kTopologies = 4 * 4 * 8;

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
  for (int from = part; from < kTopologies; from += 16) {
    Random random(from * 2 + (kind == ModelKind::kMla));
    // One source for each sharding, used with every target.
    std::vector<std::unique_ptr<ModelServer>> sources;
    for (int s = 0; s < 6; ++s) {
      sources.push_back(Server(kind, from, static_cast<CpSharding>(s + 1), 4, random));
      sources.back()->OpenRoom(kTokens, 0, from);
    }
    for (int to = 0; to < kTopologies; ++to) {
      const uint64_t turn = from * 7 + to;
      const auto target = Server(kind, to, static_cast<CpSharding>(turn / 6 % 6 + 1),
                                 turn % 2 == 0 ? 4 : 2, random);
      Trial trial;
      trial.source = sources[turn % 6].get();
      trial.target = target.get();
      trial.policy.tp_holder = static_cast<HolderPolicy>(1 + turn / 36 % 2);
      trial.policy.cp_holder = static_cast<HolderPolicy>(1 + turn / 72 % 2);
      trial.tokens = {kTokens, turn % 3 == 0 ? 6u : 0u};
      trial.chunks = RandomChunks(trial.tokens, kLayers, random);
      target->OpenRoom(kTokens, trial.tokens.prefix, to);
      ++tally.pairs;
      for (const RankCoord& coord : target->Ranks()) {
        const absl::Status status = CheckTarget(trial, coord, &tally);
        ASSERT_TRUE(status.ok()) << Describe(trial, coord) << ": " << status;
      }
    }
  }
  std::cout << "checked " << tally.pairs << " pairs of topologies: " << tally.targets
            << " targets, " << tally.plans << " plans, " << tally.runs << " runs, " << tally.bytes
            << " bytes\n";
}

INSTANTIATE_TEST_SUITE_P(Parts, ExactlyOnce,
                         testing::Combine(testing::Values(ModelKind::kGqa, ModelKind::kMla),
                                          testing::Range(0, 16)));

}  // namespace
}  // namespace baton::planner
