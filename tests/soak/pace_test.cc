#include "tests/soak/pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace baton::soak {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A machine that carries so many rooms a second: what is beyond waits.
class PaceTest : public testing::Test {
 protected:
  double RateOf(Pace* pace, double carries, int looks) {
    double waiting = 0;
    for (int i = 0; i < looks * 20; ++i, now_ += milliseconds(100)) {
      waiting = std::max(0.0, waiting + (pace->rate() - carries) / 10);
      const auto late = milliseconds(static_cast<int64_t>(1000 * waiting / carries));
      if (pace->Observe(late, now_)) waiting = 0;
    }
    return pace->rate();
  }

  TimePoint now_ = TimePoint() + seconds(1);
};

TEST_F(PaceTest, FindsWhatTheMachineCarries) {
  for (double carries : {20.0, 150.0, 900.0}) {
    Pace pace(0);
    EXPECT_NEAR(RateOf(&pace, carries, 200), carries, carries * 0.2) << carries;
  }
}

TEST_F(PaceTest, FollowsTheMachineWhenItHasLessTimeAndMore) {
  Pace pace(0);
  EXPECT_NEAR(RateOf(&pace, 400, 100), 400, 80);
  EXPECT_NEAR(RateOf(&pace, 100, 100), 100, 20);
  EXPECT_NEAR(RateOf(&pace, 400, 100), 400, 80);
}

TEST_F(PaceTest, AFixedRateStays) {
  Pace pace(70);
  EXPECT_EQ(RateOf(&pace, 10, 50), 70);
}

}  // namespace
}  // namespace baton::soak
