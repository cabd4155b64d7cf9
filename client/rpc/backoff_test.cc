#include "client/rpc/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace baton {
namespace {

constexpr auto kMs = std::chrono::milliseconds(1);

TEST(Backoff, DoublesUpToItsCapAndKeepsToTheUpperHalf) {
  Backoff backoff(10 * kMs, 100 * kMs, 1);
  for (int full : {10, 20, 40, 80, 100, 100, 100}) {
    Duration delay = backoff.Next();
    EXPECT_GE(delay, full / 2 * kMs);
    EXPECT_LE(delay, full * kMs);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), 10 * kMs);
}

TEST(Backoff, IsNeverLongerThanTheCallerAllows) {
  Backoff backoff(10 * kMs, 10000 * kMs, 1);
  for (int i = 0; i < 20; ++i) EXPECT_LE(backoff.Next(50 * kMs), 50 * kMs);
}

TEST(Backoff, ClientsDoNotComeBackTogether) {
  std::set<Duration> delays;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    delays.insert(Backoff(1000 * kMs, 5000 * kMs, seed).Next());
  }
  EXPECT_GT(delays.size(), 40u);
}

}  // namespace
}  // namespace baton
