#include "tests/demo/engine/page_allocator.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::demo {
namespace {

TEST(PageAllocator, GivesEachPageOnceAndNoGuard) {
  PageAllocator allocator(64, 1);
  ASSERT_EQ(allocator.free_pages(), 60u);
  std::set<int32_t> seen;
  for (int i = 0; i < 6; ++i) {
    auto pages = allocator.Allocate(10);
    ASSERT_TRUE(pages);
    for (int32_t page : *pages) {
      EXPECT_FALSE(PageAllocator::IsGuard(page));
      EXPECT_TRUE(seen.insert(page).second);
      EXPECT_LT(page, 64);
    }
  }
  EXPECT_FALSE(allocator.Allocate(1));
  allocator.Free(std::vector<int32_t>(seen.begin(), seen.end()));
  EXPECT_EQ(allocator.free_pages(), 60u);
}

TEST(PageAllocator, ScattersItsPagesTheSameWayForTheSameSeed) {
  PageAllocator a(1000, 3), b(1000, 3), c(1000, 4);
  auto pages = *a.Allocate(100);
  EXPECT_EQ(pages, *b.Allocate(100));
  EXPECT_NE(pages, *c.Allocate(100));
  int neighbours = 0;
  for (size_t i = 1; i < pages.size(); ++i) neighbours += pages[i] == pages[i - 1] + 1;
  EXPECT_LT(neighbours, 10);
}

TEST(PageAllocator, GivesAnEmptyListOfNothing) {
  PageAllocator allocator(2, 1);
  ASSERT_TRUE(allocator.Allocate(0));
  EXPECT_TRUE(allocator.Allocate(0)->empty());
}

TEST(PageAllocatorDeathTest, DiesOfADoubleFree) {
  PageAllocator allocator(16, 1);
  auto pages = *allocator.Allocate(1);
  allocator.Free(pages);
  EXPECT_DEATH(allocator.Free(pages), "was not taken");
}

}  // namespace
}  // namespace baton::demo
