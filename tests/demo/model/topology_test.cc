#include "tests/demo/model/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::demo {
namespace {

using planner::CpSharding;
using testing::HasSubstr;

std::string ErrorOf(absl::string_view text) {
  auto parsed = ParseTopology(text);
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

TEST(Topology, ReadsEveryItem) {
  auto parsed = ParseTopology("dp2,pp3,cp4:zigzag,tp5,page64,pool:head,stages:1+2+3");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  Topology expected{{2, 3, 4, 5}, CpSharding::kZigzag, {1, 2, 3}, 64, PoolOrder::kHead};
  EXPECT_EQ(*parsed, expected);
}

TEST(Topology, DefaultsToOneRank) { EXPECT_EQ(*ParseTopology(""), Topology{}); }

TEST(Topology, NamesTheItemThatIsWrong) {
  EXPECT_THAT(ErrorOf("tp0"), HasSubstr("must be a number from 1 to 64"));
  EXPECT_THAT(ErrorOf("tp2,xp3"), HasSubstr("xp3 must be dpN"));
  EXPECT_THAT(ErrorOf("cp2:fancy"), HasSubstr("cpN:replicated"));
  EXPECT_THAT(ErrorOf("pp2,stages:3"), HasSubstr("1 stages, but pp2"));
  EXPECT_THAT(ErrorOf("pool:x"), HasSubstr("token, head, joined or cross"));
}

TEST(Topology, BalancesStagesAndAddsTheAuxRecord) {
  const Preset* preset = FindPreset("deepseek-v3");
  ASSERT_NE(preset, nullptr);
  auto spec = BuildSpec(*preset, *ParseTopology("pp2,tp2"));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->stages[0].size(), 31u);
  EXPECT_EQ(spec->stages[1].front(), 31u);
  EXPECT_EQ(spec->tensors.back().kind, planner::Kind::kAux);
}

TEST(Topology, RefusesStagesThatDoNotAddUp) {
  auto spec = BuildSpec(*FindPreset("mla"), *ParseTopology("pp2,stages:5+5"));
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("10 layers, but mla has 12"));
}

TEST(Topology, ListsRanksInOrder) {
  EXPECT_THAT(RanksOf({1, 2, 1, 2}),
              testing::ElementsAre(RankCoord{0, 0, 0, 0}, RankCoord{0, 0, 0, 1},
                                   RankCoord{0, 1, 0, 0}, RankCoord{0, 1, 0, 1}));
}

TEST(Preset, HasTheModelsOfTheMainJobAtFullDepth) {
  EXPECT_EQ(FindPreset("llama-3-8b")->layers, 32u);
  EXPECT_EQ(FindPreset("deepseek-v3")->layers, 61u);
  EXPECT_EQ(FindPreset("qwen3-235b")->layers, 94u);
  EXPECT_EQ(FindPreset("gpt-2"), nullptr);
}

}  // namespace
}  // namespace baton::demo
