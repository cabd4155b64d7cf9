// Planted: two threads write one integer without a lock. The thread sanitizer must fail this test.
#include <gtest/gtest.h>

#include <thread>

namespace {

TEST(Planted, WritesOneIntegerFromTwoThreads) {
  volatile int landed = 0;
  auto add = [&landed] {
    for (int i = 0; i < 1000; ++i) landed = landed + 1;
  };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  EXPECT_GT(landed, 0);
}

}  // namespace
