#include "transfer_agent/control/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::control {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToItsCapWithJitterBelow) {
  Backoff backoff(milliseconds(20), milliseconds(100), 1);
  for (int step : {20, 40, 80, 100, 100}) {
    const Duration wait = backoff.Next();
    EXPECT_GE(wait, milliseconds(step) / 2);
    EXPECT_LE(wait, milliseconds(step));
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next(), milliseconds(20));
}

TEST(Backoff, DiffersFromAgentToAgent) {
  std::set<Duration> waits;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    waits.insert(Backoff(milliseconds(1000), milliseconds(1000), seed).Next());
  }
  EXPECT_GT(waits.size(), 45u);
}

}  // namespace
}  // namespace baton::control
