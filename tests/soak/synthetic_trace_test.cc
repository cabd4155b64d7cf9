#include "tests/soak/synthetic_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace baton::soak {
namespace {

constexpr size_t kRequests = 10000;

TEST(SyntheticTraceTest, IsTheSameForTheSameSeedAndAnotherForAnother) {
  EXPECT_EQ(SyntheticTrace(7, 500), SyntheticTrace(7, 500));
  EXPECT_NE(SyntheticTrace(7, 500), SyntheticTrace(8, 500));
}

TEST(SyntheticTraceTest, HasTheShapeOfARecordedOne) {
  const auto trace = SyntheticTrace(1, kRequests);
  std::vector<uint64_t> lengths;
  for (const demo::Request& request : trace) lengths.push_back(request.input_tokens);
  std::sort(lengths.begin(), lengths.end());
  EXPECT_NEAR(lengths[kRequests / 2], 6900, 700);
  EXPECT_GT(lengths.back(), 60000u);
  EXPECT_LE(lengths.back(), 126000u);
  EXPECT_NEAR(trace.back().timestamp_ms, kRequests * 300.0, kRequests * 15.0);
}

TEST(SyntheticTraceTest, HalfTheRequestsGoOnWithAConversation) {
  std::set<uint64_t> known;
  size_t go_on = 0;
  for (const demo::Request& request : SyntheticTrace(1, kRequests)) {
    ASSERT_EQ(request.blocks.size(),
              (request.input_tokens + demo::kBlockTokens - 1) / demo::kBlockTokens);
    go_on += request.blocks.size() > 1 && known.contains(request.blocks[1]);
    known.insert(request.blocks.begin(), request.blocks.end());
  }
  EXPECT_NEAR(go_on, kRequests / 2.0, kRequests / 8.0);
}

}  // namespace
}  // namespace baton::soak
