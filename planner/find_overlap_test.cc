#include "planner/find_overlap.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace baton::planner {
namespace {

Extent Make(uint64_t offset, uint64_t unit, std::vector<Extent::Axis> axes) {
  Extent extent;
  extent.offset = offset;
  extent.unit = unit;
  for (const Extent::Axis& axis : axes) extent.axis[extent.axes++] = axis;
  return extent;
}

// As many as a rank may have, one after the other within each page.
std::vector<Extent> InterleavedInPages(size_t n) {
  std::vector<Extent> all;
  for (size_t i = 0; i < n; ++i) all.push_back(Make(i * 64, 64, {{n * 64, 1000}}));
  return all;
}

// A page of 16 entries, each of which has a slice of every buffer.
std::vector<Extent> InterleavedInEntries(size_t n) {
  std::vector<Extent> all;
  for (size_t i = 0; i < n; ++i) all.push_back(Make(i * 64, 64, {{n * 1024, 1000}, {n * 64, 16}}));
  return all;
}

// It compared each of 4 096 with each: 1.2 s, in which no other engine could attach.
TEST(FindOverlap, InterleavedBuffersCostLittleMoreThanTheirNumber) {
  for (size_t n : {4096, 8192}) {
    uint64_t work = 0;
    EXPECT_FALSE(FindOverlap(InterleavedInPages(n), &work).has_value());
    EXPECT_LE(work, 8 * n);
    EXPECT_FALSE(FindOverlap(InterleavedInEntries(n), &work).has_value());
    EXPECT_LE(work, 8 * n);
  }
}

// Ten pools behind one another, of buffers that interleave: what is at one place in two pages is at
// one place in two pools too.
TEST(FindOverlap, PoolsOfInterleavedBuffersCostNoMore) {
  std::vector<Extent> all;
  for (uint64_t pool = 0; pool < 10; ++pool) {
    for (Extent extent : InterleavedInPages(400)) {
      extent.offset += pool * 400 * 64 * 1000;
      all.push_back(extent);
    }
  }
  uint64_t work = 0;
  EXPECT_FALSE(FindOverlap(all, &work).has_value());
  EXPECT_LE(work, 10 * all.size());
}

TEST(FindOverlap, FindsTheOneThatTouchesAnother) {
  for (size_t bad : {0, 1, 2047, 4095}) {
    std::vector<Extent> all = InterleavedInEntries(4096);
    all[bad].offset += 1;
    const auto found = FindOverlap(all);
    ASSERT_TRUE(found.has_value()) << bad;
    EXPECT_TRUE(found->first == bad || found->second == bad) << found->first;
    EXPECT_FALSE(Apart(all[found->first], all[found->second]));
  }
}

TEST(FindOverlap, SaysTheSameAsComparingEachWithEach) {
  std::mt19937_64 random(7);
  auto draw = [&](uint64_t most) { return random() % most; };
  int overlaps = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<Extent> all;
    const uint64_t outer = 64 << draw(3), inner = draw(4) == 0 ? 12 : 8 << draw(2);
    const size_t n = 2 + draw(12);
    for (size_t i = 0; i < n; ++i) {
      std::vector<Extent::Axis> axes;
      if (draw(8) != 0) axes.push_back({draw(10) == 0 ? outer * 2 : outer, 2 + draw(4)});
      if (draw(4) != 0) axes.push_back({inner, 2 + draw(3)});
      all.push_back(Make(draw(16384), 1 + draw(2), axes));
    }
    bool any = false;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i + 1; j < n; ++j) any |= !Apart(all[i], all[j]);
    }
    const auto found = FindOverlap(all);
    ASSERT_EQ(found.has_value(), any) << round;
    overlaps += any;
    if (!any) continue;
    ASSERT_FALSE(Apart(all[found->first], all[found->second]));
  }
  EXPECT_GT(overlaps, 100);
  EXPECT_LT(overlaps, 3900);
}

}  // namespace
}  // namespace baton::planner
