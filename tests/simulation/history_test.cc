// A piece of the simulation with every build: bazel run //tests/simulation runs more, and tells
// one.
#include "tests/simulation/history.h"

#include <gtest/gtest.h>

#include "common/log.h"
#include "tests/simulation/commit_seed.h"

namespace baton::sim {
namespace {

// A sanitizer makes a history forty times as long, and looks at memory, which a few will do for.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kOneIn = 20;
#else
constexpr uint64_t kOneIn = 1;
#endif

constexpr const char kAgain[] = "again, told: bazel run //tests/simulation -- --trace --seed=";

void ExpectAllHold(uint64_t first, uint64_t histories) {
  FLAGS_minloglevel = 3;  // what fails in a history is meant to fail
  for (uint64_t seed = first; seed < first + histories; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Outcome outcome = RunHistory(seed, /*trace=*/false);
    ASSERT_EQ(outcome.violation, "") << kAgain << seed;
  }
}

TEST(Simulation, HoldsEveryPropertyInFourThousandHistories) { ExpectAllHold(1, 4000 / kOneIn); }

TEST(Simulation, HoldsEveryPropertyInAThousandHistoriesDrawnFromTheCommit) {
  RecordProperty("seed", static_cast<int>(kCommitSeed % INT32_MAX));
  ExpectAllHold(kCommitSeed, 1000 / kOneIn);
}

TEST(Simulation, IsTheSameHistoryForTheSameSeed) {
  FLAGS_minloglevel = 3;
  for (uint64_t seed = 1; seed <= 50 / kOneIn; ++seed) {
    const Outcome once = RunHistory(seed, /*trace=*/false);
    const Outcome again = RunHistory(seed, /*trace=*/false);
    EXPECT_EQ(once.digest, again.digest) << seed;
    EXPECT_EQ(once.steps, again.steps) << seed;
  }
  EXPECT_NE(RunHistory(1, false).digest, RunHistory(2, false).digest);
}

TEST(Simulation, HasRoomsThatLandRoomsThatFailAndFaults) {
  FLAGS_minloglevel = 3;
  Outcome sum;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Outcome one = RunHistory(seed, /*trace=*/false);
    sum.rooms_done += one.rooms_done;
    sum.rooms_failed += one.rooms_failed;
    sum.clean_requests += one.clean_requests;
    sum.faults += one.faults;
    sum.quarantined += one.quarantined;
    sum.flipped += one.flipped;
    sum.moved += one.moved;
    sum.abort_times.insert(sum.abort_times.end(), one.abort_times.begin(), one.abort_times.end());
  }
  EXPECT_GT(sum.rooms_done, 100u);
  EXPECT_GT(sum.rooms_failed, 100u);
  EXPECT_GT(sum.clean_requests, 100u);
  EXPECT_GT(sum.faults, 100u);
  EXPECT_GT(sum.abort_times.size(), 10u);
  EXPECT_GT(sum.quarantined, 0u);
  EXPECT_GT(sum.flipped, 0u);
  EXPECT_GT(sum.moved, 0u);
}

TEST(Simulation, HasRoomsThatNoRailIsLeftFor) {
  FLAGS_minloglevel = 3;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    if (RunHistory(seed, /*trace=*/false).without_rail > 0) return;
  }
  FAIL() << "in none of 3000 histories";
}

}  // namespace
}  // namespace baton::sim
