// Planted: reads memory after it was freed. The address sanitizer must stop this test.
#include <gtest/gtest.h>

#include <memory>

namespace {

TEST(Planted, ReadsFreedMemory) {
  auto page = std::make_unique<int>(42);
  volatile int* stale = page.get();
  page.reset();
  EXPECT_EQ(*stale, *stale);
}

}  // namespace
