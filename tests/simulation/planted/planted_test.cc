// The simulation finds each bug of bugs.txt, by the property that forbids it; and without a bug the
// very same program finds nothing.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "common/log.h"
#include "tests/simulation/history.h"

namespace baton::sim {

// Read by the planted sources; 0: none.
int planted = 0;

namespace {

constexpr uint64_t kHistories = 5000;
constexpr int kBugs = 33;

struct Found {
  uint64_t seed = 0;
  std::string violation;
};

// In this process: a bug that ends the program fails its own case alone.
Found Search(int bug) {
  planted = bug;
  FLAGS_minloglevel = 3;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    const Outcome outcome = RunHistory(seed, /*trace=*/false);
    if (!outcome.violation.empty()) return {seed, outcome.violation};
  }
  return {};
}

class Planted : public testing::TestWithParam<int> {};

TEST_P(Planted, BugIsFound) {
  const Found found = Search(GetParam());
  planted = 0;
  ASSERT_NE(found.violation, "") << "bug " << GetParam() << " in " << kHistories << " histories";
  std::printf("bug %d: seed %llu: %s\n", GetParam(), (unsigned long long)found.seed,
              found.violation.c_str());
  EXPECT_EQ(RunHistory(found.seed, /*trace=*/false).violation, "") << "also without the bug";
}

INSTANTIATE_TEST_SUITE_P(Each, Planted, testing::Range(1, kBugs + 1));

}  // namespace
}  // namespace baton::sim
