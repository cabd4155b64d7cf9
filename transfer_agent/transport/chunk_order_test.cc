#include "transfer_agent/transport/chunk_order.h"

#include <gtest/gtest.h>

namespace baton::transport {
namespace {

using planner::ChunkRange;

ChunkRange Tokens(uint64_t begin, uint64_t end, bool last = false) {
  return {.token_begin = begin, .token_end = end, .last = last};
}

ChunkRange Layers(ChunkRange chunk, uint32_t begin, uint32_t end) {
  chunk.layer_begin = begin;
  chunk.layer_end = end;
  return chunk;
}

ChunkRange Groups(ChunkRange chunk, uint16_t groups) {
  chunk.groups = groups;
  return chunk;
}

TEST(ChunkOrder, KnowsTheSameTokensTwiceFromWhatFollows) {
  ChunkOrder order;
  order.Add(Tokens(0, 32));
  for (const ChunkRange& repeated : {Tokens(0, 32), Tokens(0, 32, true), Tokens(31, 64)}) {
    ASSERT_TRUE(order.GoesBack(repeated).has_value());
    ASSERT_TRUE(order.LeavesGap(repeated).has_value());
    EXPECT_EQ(order.GoesBack(repeated)->before, Tokens(0, 32));
  }
  EXPECT_FALSE(order.GoesBack(Tokens(32, 64, true)).has_value());
  EXPECT_FALSE(order.LeavesGap(Tokens(32, 64, true)).has_value());
}

TEST(ChunkOrder, TakesGapsAtATargetOnly) {
  ChunkOrder order;
  order.Add(Tokens(0, 32));
  EXPECT_FALSE(order.GoesBack(Tokens(40, 64)).has_value());
  EXPECT_TRUE(order.LeavesGap(Tokens(40, 64)).has_value());
}

TEST(ChunkOrder, TakesMoreLayersOfTheSameTokensButNoLayerTwice) {
  ChunkOrder order;
  order.Add(Layers(Tokens(0, 32), 0, 16));
  EXPECT_FALSE(order.GoesBack(Layers(Tokens(0, 32), 16, 32)).has_value());
  EXPECT_FALSE(order.LeavesGap(Layers(Tokens(0, 32), 16, 32)).has_value());
  EXPECT_TRUE(order.GoesBack(Layers(Tokens(0, 32), 15, 32)).has_value());
  EXPECT_TRUE(order.GoesBack(Layers(Tokens(0, 31), 16, 32)).has_value());
  order.Add(Layers(Tokens(0, 32), 16, 32));
  EXPECT_FALSE(order.GoesBack(Layers(Tokens(32, 64), 0, 16)).has_value());
}

TEST(ChunkOrder, FollowsEachPageGroupByItself) {
  ChunkOrder order;
  order.Add(Groups(Tokens(0, 32), 0b01));
  EXPECT_FALSE(order.GoesBack(Groups(Tokens(0, 32), 0b10)).has_value());
  ASSERT_TRUE(order.GoesBack(Groups(Tokens(0, 32), 0b11)).has_value());
  EXPECT_EQ(order.GoesBack(Groups(Tokens(0, 32), 0b11))->group, 0u);
  EXPECT_FALSE(order.reach(1).has_value());
  EXPECT_EQ(order.reach(0)->first_token, 0u);
}

// State and aux go with the last chunk, whatever its tokens.
TEST(ChunkOrder, HasOneLastChunk) {
  ChunkOrder order;
  order.Add(Tokens(0, 64));
  order.Add(Tokens(64, 64, true));
  EXPECT_TRUE(order.GoesBack(Tokens(64, 64, true)).has_value());
  EXPECT_TRUE(order.GoesBack(Tokens(64, 80)).has_value());
  ChunkOrder other;
  other.Add(Tokens(80, 80, true));
  EXPECT_TRUE(order.Overlaps(other));
}

TEST(ChunkOrder, KnowsPartsThatLieOverEachOther) {
  ChunkOrder first;
  first.Add(Layers(Tokens(0, 32), 0, 16));
  first.Add(Layers(Tokens(32, 64), 0, 16));
  const auto overlaps = [&](const ChunkRange& chunk) {
    ChunkOrder other;
    other.Add(chunk);
    EXPECT_EQ(first.Overlaps(other), other.Overlaps(first));
    return first.Overlaps(other);
  };
  EXPECT_TRUE(overlaps(Layers(Tokens(0, 32), 0, 16)));
  EXPECT_TRUE(overlaps(Tokens(63, 100)));
  EXPECT_FALSE(overlaps(Layers(Tokens(0, 64), 16, 32)));
  EXPECT_FALSE(overlaps(Tokens(64, 100, true)));
  ChunkOrder nothing;
  EXPECT_FALSE(first.Overlaps(nothing));
}

}  // namespace
}  // namespace baton::transport
