// All pairs of page layouts, for every model, on 64 pairs of topologies.
#include <gtest/gtest.h>

#include <iostream>
#include <vector>

#include "planner/proof/random_trials.h"

namespace baton::planner {
namespace {

constexpr uint32_t kLayers = 4;
constexpr uint64_t kTokens = 21;

std::vector<LayoutOptions> Layouts() {
  std::vector<LayoutOptions> layouts;
  for (PageStyle page : {PageStyle::kTokenMajor, PageStyle::kHeadMajor}) {
    for (MixStyle mix : {MixStyle::kNone, MixStyle::kPage, MixStyle::kEntry, MixStyle::kLayers}) {
      LayoutOptions options;
      options.page_style = page;
      options.mix_style = mix;
      options.region_style = mix == MixStyle::kNone ? RegionStyle::kBuffers : RegionStyle::kOne;
      options.rows = 3;
      options.align = 1;
      layouts.push_back(options);
    }
  }
  return layouts;
}

LayoutOptions Sized(LayoutOptions options, const ServerSpec& spec) {
  for (const PageGroup& group : spec.page_groups) {
    options.pages.push_back(static_cast<uint32_t>(kTokens / group.page_tokens + 2));
  }
  return options;
}

class Layouts64 : public testing::TestWithParam<int> {};

TEST_P(Layouts64, AreReadAndWrittenExactlyOnce) {
  const ModelKind kind = static_cast<ModelKind>(GetParam());
  const std::vector<LayoutOptions> layouts = Layouts();
  Tally tally;
  for (uint32_t t = 0; t < 64; ++t) {
    Random random(t);
    const RankCoord from{1, 1u + t % 2, 1u + t / 2 % 2, 1u << (t / 4 % 4)};
    const RankCoord to{1, 1u + t / 16 % 2, 1u + t / 32 % 2, 1u + t / 8 % 4};
    const auto sharding = [&](uint32_t turn) {
      return static_cast<CpSharding>(1 + turn % kCpShardings);
    };
    const ServerSpec source_spec = MakeSpec(kind, from, sharding(t), kLayers, 4, random);
    const ServerSpec target_spec =
        MakeSpec(kind, to, sharding(t / kCpShardings + t), kLayers, t % 3 == 0 ? 8 : 4, random);
    for (const LayoutOptions& a : layouts) {
      for (const LayoutOptions& b : layouts) {
        ModelServer source(source_spec, Sized(a, source_spec));
        ModelServer target(target_spec, Sized(b, target_spec));
        Trial trial;
        trial.source = &source;
        trial.target = &target;
        trial.policy.tp_holder = static_cast<HolderPolicy>(Draw(random, 1, 2));
        trial.policy.cp_holder = static_cast<HolderPolicy>(Draw(random, 1, 2));
        trial.tokens = {kTokens, random() % 2 == 0 ? 0 : Draw(random, 1, kTokens)};
        trial.chunks = RandomChunks(trial.tokens, kLayers, random);
        trial.thorough = random() % 16 == 0;
        source.OpenRoom(kTokens, 0, t);
        target.OpenRoom(kTokens, trial.tokens.prefix, t);
        ++tally.pairs;
        const auto ranks = target.Ranks();
        const RankCoord coord = ranks[random() % ranks.size()];
        const absl::Status status = CheckTarget(trial, coord, &tally);
        ASSERT_TRUE(status.ok()) << Describe(trial, coord) << ": " << status;
      }
    }
  }
  std::cout << "checked " << tally.pairs << " pairs of layouts: " << tally.plans << " plans, "
            << tally.runs << " runs, " << tally.bytes << " bytes\n";
}

INSTANTIATE_TEST_SUITE_P(Models, Layouts64, testing::Range(0, kModelKinds));

}  // namespace
}  // namespace baton::planner
