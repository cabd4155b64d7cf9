// Planted: loses an allocation. The leak sanitizer must fail this test as it ends.
#include <gtest/gtest.h>

#include <cstring>

namespace {

// Kept out of line so that no copy of the pointer stays in a register of the test.
__attribute__((noinline)) char LastByteOfALostPage() {
  char* page = new char[4096];
  memset(page, 7, 4096);
  return page[4095];
}

TEST(Planted, LosesAPage) { EXPECT_EQ(LastByteOfALostPage(), 7); }

}  // namespace
