#include "client/rpc/inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace baton {
namespace {

TEST(Inbox, GivesClosuresInOrderToItsThread) {
  Inbox inbox;
  std::vector<int> seen;
  std::thread poster([&] {
    for (int i = 0; i < 100; ++i) inbox.Post([&seen, i] { seen.push_back(i); });
  });
  while (seen.size() < 100) {
    for (auto& closure : inbox.Take(Monotonic::now() + std::chrono::seconds(30))) closure();
  }
  poster.join();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[i], i);
}

TEST(Inbox, DropsWhatComesAfterItsEnd) {
  Inbox inbox;
  inbox.Post([] { FAIL(); });
  inbox.Close();
  inbox.Post([] { FAIL(); });
  EXPECT_TRUE(inbox.Take(Monotonic::now() + std::chrono::hours(1)).empty());
}

TEST(Inbox, TakeEndsWithItsDeadline) {
  Inbox inbox;
  EXPECT_TRUE(inbox.Take(Monotonic::now()).empty());
}

}  // namespace
}  // namespace baton
