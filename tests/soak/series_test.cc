#include "tests/soak/series.h"

#include <gtest/gtest.h>

namespace baton::soak {
namespace {

// A sample a second, with noise of one up and one down.
void Live(uint32_t life, double from, double per_hour, std::vector<Sample>* samples) {
  const double began = samples->empty() ? 0 : samples->back().since_s + 1;
  for (int i = 0; i < 600; ++i) {
    const double noise = i % 2 == 0 ? 1 : -1;
    samples->push_back({life, double(i), began + i, from + per_hour * i / 3600 + noise});
  }
}

TEST(SeriesTest, TheSlopeIsFoundUnderNoise) {
  std::vector<Sample> samples;
  Live(0, 100, 360, &samples);
  const Trend trend = FitTrend(samples, 60);
  EXPECT_EQ(trend.samples, 540u);
  EXPECT_EQ(trend.oldest_s, 599);
  EXPECT_EQ(trend.lives, 1u);
  EXPECT_NEAR(trend.per_hour, 360, 3 * trend.error_per_hour + 1);
  EXPECT_GT(trend.error_per_hour, 0);
  EXPECT_TRUE(Grows(trend, 10));
}

TEST(SeriesTest, ARestartIsNoGrowthAndNoFall) {
  std::vector<Sample> samples;
  Live(0, 100, 0, &samples);
  Live(1, 900, 0, &samples);
  Live(2, 300, 0, &samples);
  const Trend trend = FitTrend(samples, 0);
  EXPECT_EQ(trend.lives, 3u);
  EXPECT_NEAR(trend.per_hour, 0, 3 * trend.error_per_hour + 0.1);
  EXPECT_FALSE(Grows(trend, 1));
}

TEST(SeriesTest, WhatEveryLifeGrowsByIsFound) {
  std::vector<Sample> samples;
  Live(0, 900, 60, &samples);
  Live(1, 100, 60, &samples);
  const Trend trend = FitTrend(samples, 0);
  EXPECT_NEAR(trend.per_hour, 60, 3 * trend.error_per_hour + 0.1);
  EXPECT_LT(trend.last, trend.first);
}

TEST(SeriesTest, TheWarmUpAndTheFirstHalfMayBeLeftOut) {
  std::vector<Sample> samples;
  Live(0, 0, 3600, &samples);
  Live(1, 500, 0, &samples);
  EXPECT_EQ(FitTrend(samples, 590).samples, 20u);
  const Trend second = FitTrend(samples, 0, 600);
  EXPECT_EQ(second.samples, 600u);
  EXPECT_FALSE(Grows(second, 1));
}

TEST(SeriesTest, TooFewSamplesHaveNoSlope) {
  EXPECT_EQ(FitTrend({}, 0).samples, 0u);
  EXPECT_EQ(FitTrend({{0, 1, 1, 5}, {0, 2, 2, 9}}, 0).per_hour, 0);
  EXPECT_EQ(FitTrend({{0, 1, 1, 5}, {0, 1, 1, 9}, {0, 1, 1, 9}}, 0).per_hour, 0);
}

}  // namespace
}  // namespace baton::soak
