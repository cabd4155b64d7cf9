#include "tests/demo/model/ownership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/demo/model/topology.h"

namespace baton::demo {
namespace {

using testing::ElementsAre;

planner::ServerSpec Spec(const char* preset, const char* topology) {
  return *BuildSpec(*FindPreset(preset), *ParseTopology(topology));
}

std::vector<uint64_t> Tokens(const char* topology, uint32_t cp, uint64_t total) {
  planner::ServerSpec spec = Spec("gqa", topology);
  return Ownership(&spec, {0, 0, cp, 0}).Tokens(0, total);
}

TEST(Ownership, GivesContiguousRunsOfWholePages) {
  EXPECT_THAT(Tokens("cp2:contiguous,page2", 0, 5), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Tokens("cp2:contiguous,page2", 1, 5), ElementsAre(4));
}

TEST(Ownership, InterleavesTokensAndPages) {
  EXPECT_THAT(Tokens("cp2:token,page2", 1, 6), ElementsAre(1, 3, 5));
  EXPECT_THAT(Tokens("cp2:page,page2", 1, 7), ElementsAre(2, 3, 6));
}

TEST(Ownership, SharesPagesOutOverTp) {
  planner::ServerSpec over_tp = Spec("mla", "cp2:page-tp,tp2,page2");
  EXPECT_THAT(Ownership(&over_tp, {0, 0, 1, 1}).Tokens(0, 7), ElementsAre(2, 3, 6));
  planner::ServerSpec over_both = Spec("mla", "cp2:page-cp-tp,tp2,page2");
  EXPECT_THAT(Ownership(&over_both, {0, 0, 1, 0}).Tokens(0, 13), ElementsAre(4, 5, 12));
}

TEST(Ownership, PairsTheRunsOfAZigzag) {
  EXPECT_THAT(Tokens("cp2:zigzag,page1", 0, 8), ElementsAre(0, 1, 6, 7));
  EXPECT_THAT(Tokens("cp2:zigzag,page1", 1, 8), ElementsAre(2, 3, 4, 5));
}

TEST(Ownership, CoversEveryTokenOnceUnlessReplicated) {
  for (const char* sharding : {"contiguous", "token", "page", "zigzag"}) {
    for (uint64_t total : {1, 5, 63, 200}) {
      std::vector<int> seen(total);
      for (uint32_t cp = 0; cp < 3; ++cp) {
        std::string topology = std::string("page4,cp3:") + sharding;
        std::vector<uint64_t> tokens = Tokens(topology.c_str(), cp, total);
        for (uint64_t token : tokens) ++seen[token];
        planner::ServerSpec spec = Spec("gqa", topology.c_str());
        EXPECT_LE(tokens.size(), Ownership(&spec, {0, 0, cp, 0}).TokensMax(0, total));
      }
      EXPECT_THAT(seen, testing::Each(1)) << sharding << " " << total;
    }
  }
  EXPECT_EQ(Tokens("cp3", 2, 9).size(), 9u);
}

TEST(Ownership, SplitsHeadsAndReplicatesFewOnConsecutiveRanks) {
  planner::ServerSpec many = Spec("gqa", "tp3");
  EXPECT_THAT(Ownership(&many, {0, 0, 0, 1}).Heads(many.tensors[0]),
              ElementsAre(8, 9, 10, 11, 12, 13, 14, 15));
  planner::ServerSpec few = Spec("gqa-few", "tp4");
  EXPECT_THAT(Ownership(&few, {0, 0, 0, 1}).Heads(few.tensors[0]), ElementsAre(0));
  EXPECT_THAT(Ownership(&few, {0, 0, 0, 2}).Heads(few.tensors[0]), ElementsAre(1));
  planner::ServerSpec latent = Spec("mla", "tp4");
  EXPECT_THAT(Ownership(&latent, {0, 0, 0, 3}).Heads(latent.tensors[0]), ElementsAre(0));
}

TEST(Ownership, SplitsEachSubBlockOfAStateOnItsOwn) {
  planner::ServerSpec spec = Spec("hybrid", "tp8");
  const planner::TensorSpec& conv = spec.tensors[2];
  ASSERT_EQ(conv.name, "conv");
  EXPECT_THAT(Ownership(&spec, {0, 0, 0, 7}).Heads(conv), ElementsAre(7, 15, 30, 31));
}

TEST(Ownership, GivesLayersByStageAndBySplit) {
  planner::ServerSpec spec = Spec("mla", "pp2,cp3:layers");
  Ownership rank(&spec, {0, 1, 2, 0});
  for (uint32_t layer = 0; layer < 12; ++layer) {
    EXPECT_EQ(rank.HoldsLayer(spec.tensors[0], layer), layer >= 10) << layer;
  }
  EXPECT_TRUE(rank.HoldsLayer(spec.tensors.back(), 0)) << "every rank has the aux record";
}

}  // namespace
}  // namespace baton::demo
