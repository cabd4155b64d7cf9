#include "tests/demo/workload/arrivals.h"

#include <gtest/gtest.h>

namespace baton::demo {
namespace {

using std::chrono::milliseconds;

TEST(Arrivals, ScaleLengthsAndCompressTime) {
  Arrivals arrivals({{1000, 640, 1, {}}, {3000, 64000, 1, {}}}, {1.0 / 64, 10, 256});
  Arrival first = arrivals.Next();
  EXPECT_EQ(first.at, milliseconds(100));
  EXPECT_EQ(first.total_tokens, 10u);
  EXPECT_EQ(first.prefix_tokens, 0u);
  Arrival second = arrivals.Next();
  EXPECT_EQ(second.at, milliseconds(300));
  EXPECT_EQ(second.total_tokens, 256u) << "longer requests are cut";
}

TEST(Arrivals, HaveAtLeastOneToken) {
  Arrivals arrivals({{0, 3, 1, {}}}, {1.0 / 64, 1, 256});
  EXPECT_EQ(arrivals.Next().total_tokens, 1u);
}

TEST(Arrivals, DoNotWaitAtSpeedZero) {
  Arrivals arrivals({{100000, 3, 1, {}}}, {1, 0, 256});
  EXPECT_EQ(arrivals.Next().at.count(), 0);
}

TEST(Arrivals, CountLeadingBlocksThatCameBeforeAsPrefix) {
  Arrivals arrivals({{0, 1200, 1, {1, 2, 3}},
                     {0, 1500, 1, {1, 2, 4}},
                     {0, 1100, 1, {9, 2, 3}},
                     {0, 600, 1, {1, 2}}},
                    {0.5, 0, 4096});
  EXPECT_EQ(arrivals.Next().prefix_tokens, 0u);
  EXPECT_EQ(arrivals.Next().prefix_tokens, 512u);
  EXPECT_EQ(arrivals.Next().prefix_tokens, 0u) << "a block in the middle is no prefix";
  Arrival whole = arrivals.Next();
  EXPECT_EQ(whole.prefix_tokens, whole.total_tokens);
}

TEST(Arrivals, StartOverLaterAndForgetful) {
  Arrivals arrivals({{0, 1024, 1, {1, 2}}, {500, 1024, 1, {1, 2}}}, {1, 1, 4096});
  arrivals.Next();
  EXPECT_EQ(arrivals.Next().prefix_tokens, 1024u);
  Arrival again = arrivals.Next();
  EXPECT_EQ(again.at, milliseconds(1500));
  EXPECT_EQ(again.prefix_tokens, 0u);
}

}  // namespace
}  // namespace baton::demo
