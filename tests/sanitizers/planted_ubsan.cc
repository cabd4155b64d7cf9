// Planted: overflows a signed integer. The undefined-behaviour sanitizer must stop this test.
#include <gtest/gtest.h>

#include <limits>

namespace {

TEST(Planted, OverflowsASignedInteger) {
  volatile int tokens = std::numeric_limits<int>::max();
  int more = tokens + 1;
  EXPECT_NE(more, 0);
}

}  // namespace
