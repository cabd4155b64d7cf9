// Histories of groups find each bug of bugs.txt; without a bug the very same program finds nothing.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "common/log.h"
#include "tests/simulation/groups/group_world.h"

namespace baton::sim {

// Read by the planted sources; 0: none.
int planted = 0;

namespace {

constexpr uint64_t kHistories = 500;
constexpr int kBugs = 10;

// In a process of its own: what the core itself finds impossible ends it, and is found too.
bool Finds(int bug) {
  const pid_t child = fork();
  if (child == 0) {
    planted = bug;
    for (uint64_t seed = 1; seed <= kHistories; ++seed) {
      const std::string violation = GroupWorld(seed).Run().violation;
      if (violation.empty()) continue;
      std::printf("bug %d: seed %llu: %s\n", bug, (unsigned long long)seed, violation.c_str());
      std::fflush(stdout);
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) std::printf("bug %d: the core found it\n", bug);
  return WIFSIGNALED(status) || WEXITSTATUS(status) == 1;
}

class PlantedInGroups : public testing::TestWithParam<int> {};

TEST_P(PlantedInGroups, BugIsFound) { EXPECT_TRUE(Finds(GetParam())); }

TEST(NothingPlanted, FindsNothing) { EXPECT_FALSE(Finds(0)); }

INSTANTIATE_TEST_SUITE_P(Each, PlantedInGroups, testing::Range(1, kBugs + 1));

}  // namespace
}  // namespace baton::sim
