// Shows that the proof can fail: each deliberate break of a planner line is caught within a few
// thousand random trials.
#include <gtest/gtest.h>

#include <iostream>

#include "planner/break.h"
#include "planner/proof/random_trials.h"

namespace baton::planner {
namespace {

constexpr uint64_t kTrials = 4000;

struct Break {
  int number;
  const char* what;
};

constexpr Break kBreaks[] = {
    {1, "replicated heads are dealt out by modulo instead of to consecutive ranks"},
    {2, "every tp replica of a head sends it"},
    {3, "every cp replica of a token sends it"},
    {4, "the head's place at the target is forgotten"},
    {5, "an entry that a chunk only begins goes with it, and again with the next"},
    {6, "the sliding window is ignored"},
    {7, "page lists are taken to begin with the room's first page"},
    {8, "a zigzag rank's second run is counted from the front"},
    {9, "draft layers of a layer-split server lie on its first cp rank"},
    {10, "shares of equal holders overlap by one entry"},
    {11, "K and V are merged when they are neighbours at the source alone"},
    {12, "AUX is sent by the source stage of the target's number"},
    {13, "the page does not change when its last slot was used"},
    {14, "AUX of the last stage is sent by an elected one"},
    {15, "of ranks that share out pages over tp, one is elected to send"},
};

// The number of the first trial that fails; kTrials when none does.
uint64_t FirstFailure(std::string* message) {
  Tally tally;
  for (uint64_t seed = 0; seed < kTrials; ++seed) {
    const absl::Status status = RandomTrial(seed, {}, &tally);
    if (status.ok()) continue;
    *message = std::string(status.message());
    return seed;
  }
  return kTrials;
}

class Breaks : public testing::Test {
 protected:
  ~Breaks() override { planner_break = 0; }
};

TEST_F(Breaks, NoneIsOnByItself) {
  std::string message;
  EXPECT_EQ(FirstFailure(&message), kTrials) << message;
}

TEST_F(Breaks, EachIsCaught) {
  for (const Break& b : kBreaks) {
    planner_break = b.number;
    std::string message;
    const uint64_t seed = FirstFailure(&message);
    EXPECT_LT(seed, kTrials) << "not caught: " << b.what;
    std::cout << "break " << b.number << " (" << b.what << "): caught by trial " << seed << ": "
              << message << "\n";
  }
}

}  // namespace
}  // namespace baton::planner
