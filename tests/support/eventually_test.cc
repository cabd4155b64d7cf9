#include "tests/support/eventually.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace baton {
namespace {

TEST(Eventually, SeesWhatAnotherThreadDoes) {
  std::atomic<bool> done = false;
  std::thread other([&done] { done = true; });
  EXPECT_TRUE(Eventually([&done] { return done.load(); }));
  other.join();
}

TEST(Eventually, GivesUpAtItsLimit) {
  int polls = 0;
  EXPECT_FALSE(Eventually(
      [&polls] {
        ++polls;
        return false;
      },
      std::chrono::milliseconds(5)));
  EXPECT_GE(polls, 2);
}

}  // namespace
}  // namespace baton
