#include "tests/demo/content/buffer_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/demo/content/pool_layout.h"

namespace baton::demo {
namespace {

// A rank with its memory on the heap.
struct TestRank {
  TestRank(const char* preset, const char* topology, RankCoord coord, uint64_t tokens = 256)
      : parsed(*ParseTopology(topology)),
        spec(*BuildSpec(*FindPreset(preset), parsed)),
        ownership(&spec, coord),
        pool(LayOut(ownership, parsed.order, SizesFor(ownership, tokens, 4))) {
    for (uint64_t size : pool.region_sizes) memory.emplace_back(size);
    for (const auto& buffer : pool.layout.buffers) {
      views.emplace_back(ownership, buffer, memory[buffer.region].data());
    }
  }

  void FillAllCanaries() {
    for (BufferView& view : views) {
      for (uint32_t page = 0; page < view.pages(); ++page) view.FillCanaries(page, 0);
    }
  }

  Topology parsed;
  planner::ServerSpec spec;
  Ownership ownership;
  PoolLayout pool;
  std::vector<std::vector<std::byte>> memory;
  std::vector<BufferView> views;
};

class EveryOrder : public testing::TestWithParam<const char*> {};

// If two units shared a byte, or one lay outside its region, a canary would be wrong (or ASan
// would speak).
TEST_P(EveryOrder, GivesEachUnitBytesOfItsOwn) {
  for (const char* preset : {"gqa", "mla-index", "gqa-window", "hybrid"}) {
    TestRank rank(preset, GetParam(), {0, 1, 0, 1});
    rank.FillAllCanaries();
    for (const BufferView& view : rank.views) {
      for (uint32_t page = 0; page < view.pages(); ++page) {
        ASSERT_FALSE(view.CheckCanaries(page, 0)) << preset << " " << page;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, EveryOrder,
                         testing::Values("pp2,tp2,page8", "pp2,tp2,page8,pool:head",
                                         "pp2,tp2,page8,pool:joined", "pp2,tp2,page8,pool:cross"));

TEST(BufferView, ChecksContentAndTheCanariesBehindIt) {
  TestRank rank("gqa", "tp2,page8", {0, 0, 0, 1});
  rank.FillAllCanaries();
  Placement placement = Place(rank.ownership, 0, 9, 21);
  ASSERT_EQ(PagesWanted(placement), 2u);
  EXPECT_EQ(placement.tokens.front(), 8u) << "from the page's first slot on";
  placement.pages = {5, 2};
  BufferView& view = rank.views[3];
  const uint64_t seed = RoomSeed({1, 2});
  EXPECT_TRUE(view.CheckPage(seed, placement, 0)) << "nothing is there yet";
  view.Fill(seed, placement, 0, placement.tokens.size());
  EXPECT_FALSE(view.CheckPage(seed, placement, 0));
  EXPECT_FALSE(view.CheckPage(seed, placement, 1));
  EXPECT_TRUE(view.CheckPage(RoomSeed({1, 3}), placement, 0)) << "another nonce, other bytes";

  *view.UnitAt(2, 6, 1) ^= std::byte{1};  // a canary: 21 - 16 = 5 tokens lie in the second page
  auto fault = view.CheckPage(seed, placement, 1);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->page, 2);
  EXPECT_EQ(fault->byte, (6u * 12 + 1) * 64);
  EXPECT_EQ(fault->expected ^ fault->found, 1);
}

TEST(BufferView, NamesTheByteThatIsWrong) {
  TestRank rank("gqa", "tp2,page8", {0, 0, 0, 1});
  Placement placement = Place(rank.ownership, 0, 0, 16);
  placement.pages = {7, 3};
  BufferView& view = rank.views[0];
  view.Fill(77, placement, 0, 16);
  view.UnitAt(3, 4, 2)[9] ^= std::byte{0x80};
  auto fault = view.CheckPage(77, placement, 1);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->token, 12u);
  EXPECT_EQ(fault->head, 14u) << "the second half of 24 heads begins at 12";
  EXPECT_EQ(fault->byte, (4u * 12 + 2) * 64 + 9);
  EXPECT_FALSE(view.CheckPage(77, placement, 0));
}

TEST(BufferView, ContentIsTheSameOnBothSidesWhateverTheLayout) {
  TestRank source("gqa", "cp2:token,tp4,page4", {0, 0, 1, 2});
  TestRank target("gqa", "tp2,page16,pool:head", {0, 0, 0, 1});
  Placement from = Place(source.ownership, 0, 0, 16);
  Placement to = Place(target.ownership, 0, 0, 16);
  from.pages = {1, 2};
  to.pages = {0};
  source.views[0].Fill(5, from, 0, from.tokens.size());
  target.views[0].Fill(5, to, 0, to.tokens.size());
  // Source rank tp2 of 4 holds heads 12 to 17, target rank tp1 of 2 heads 12 to 23.
  for (uint32_t i = 0; i < from.tokens.size(); ++i) {
    for (uint32_t head = 0; head < 6; ++head) {
      EXPECT_EQ(0, memcmp(source.views[0].UnitAt(from.pages[i / 4], i % 4, head),
                          target.views[0].UnitAt(0, from.tokens[i], head), 64));
    }
  }
}

TEST(BufferView, ChecksRows) {
  TestRank rank("hybrid", "tp2", {0, 0, 0, 1});
  rank.FillAllCanaries();
  for (BufferView& view : rank.views) {
    if (!view.has_rows()) continue;
    EXPECT_TRUE(view.CheckRow(8, 1));
    view.FillRow(8, 1);
    EXPECT_FALSE(view.CheckRow(8, 1));
    EXPECT_FALSE(view.CheckCanaries(2, 0)) << "the next row is untouched";
  }
}

TEST(Placement, GivesThePagesOfAChunk) {
  TestRank rank("gqa", "page4", {0, 0, 0, 0});
  Placement placement = Place(rank.ownership, 0, 0, 14);
  placement.pages = {9, 8, 7, 6};
  EXPECT_THAT(placement.PagesOf(0, 14), testing::ElementsAre(9, 8, 7, 6));
  EXPECT_THAT(placement.PagesOf(3, 5), testing::ElementsAre(9, 8));
  EXPECT_THAT(placement.PagesOf(4, 8), testing::ElementsAre(8));
  EXPECT_THAT(placement.PagesOf(14, 14), testing::IsEmpty());
  EXPECT_EQ(PagesWanted(Place(rank.ownership, 0, 14, 14)), 0u) << "a full prefix hit";
}

TEST(Placement, OfARankWithoutTokensIsEmpty) {
  TestRank rank("gqa", "cp4:page,page4", {0, 0, 3, 0});
  Placement placement = Place(rank.ownership, 0, 0, 8);
  EXPECT_EQ(PagesWanted(placement), 0u);
  EXPECT_THAT(placement.PagesOf(0, 8), testing::IsEmpty());
}

}  // namespace
}  // namespace baton::demo
