// Histories of groups of one to five ranks, by seed. A failure names its seed.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/simulation/groups/group_world.h"

namespace baton::sim {
namespace {

// A sanitizer makes a history many times as long, and looks at memory, which a few will do for.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kHistories = 100;
#else
constexpr uint64_t kHistories = 2000;
#endif

TEST(GroupHistories, HaveOneSequenceAndNoneMissing) {
  GroupFigures all;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    const GroupOutcome outcome = GroupWorld(seed).Run();
    ASSERT_EQ(outcome.violation, "") << "seed " << seed;
    all.entries += outcome.figures.entries;
    all.finished += outcome.figures.finished;
    all.failed += outcome.figures.failed;
    all.leaders += outcome.figures.leaders;
    all.restarts += outcome.figures.restarts;
    all.deaths += outcome.figures.deaths;
  }
  // What was drawn for did happen.
  EXPECT_GT(all.finished, kHistories);
  EXPECT_GT(all.failed, kHistories);
  EXPECT_GT(all.leaders, 2 * kHistories);
  EXPECT_GT(all.restarts, kHistories);
  EXPECT_GT(all.deaths, kHistories / 20);
  std::printf(
      "%llu entries, %llu rooms finished, %llu failed, %llu leaders, %llu agents and %llu "
      "engines killed\n",
      (unsigned long long)all.entries, (unsigned long long)all.finished,
      (unsigned long long)all.failed, (unsigned long long)all.leaders,
      (unsigned long long)all.restarts, (unsigned long long)all.deaths);
}

TEST(GroupHistories, AreTheSameForTheSameSeed) {
  EXPECT_EQ(GroupWorld(7).Run().figures.entries, GroupWorld(7).Run().figures.entries);
}

}  // namespace
}  // namespace baton::sim
