// Random larger pairs: sizes log-uniform up to 256 ranks a side, up to 94 layers, all kinds of
// models, cp shardings, page sizes, layouts, chunks and policies. --pairs=N sets how many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "planner/proof/random_trials.h"

namespace baton::planner {
namespace {

uint64_t pairs_asked = 20000;

// In as many parts as there are shards may be.
class ExactlyOnce : public testing::TestWithParam<uint64_t> {};
constexpr uint64_t kParts = 8;

TEST_P(ExactlyOnce, HoldsForRandomPairs) {
  const TrialBounds bounds{.ranks = 256, .layers = 94, .tokens = 48, .targets = 1};
  Tally tally;
  for (uint64_t seed = GetParam(); seed < pairs_asked; seed += kParts) {
    const absl::Status status = RandomTrial(1'000'000 + seed, bounds, &tally);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::cout << "checked " << tally.pairs << " random pairs: " << tally.targets << " targets, "
            << tally.plans << " plans, " << tally.runs << " runs, " << tally.bytes << " bytes\n";
}

INSTANTIATE_TEST_SUITE_P(Parts, ExactlyOnce, testing::Range(uint64_t{0}, kParts));

}  // namespace
}  // namespace baton::planner

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg.rfind("--pairs=", 0) == 0) {
      baton::planner::pairs_asked = std::strtoull(arg.c_str() + 8, nullptr, 10);
    }
  }
  return RUN_ALL_TESTS();
}
