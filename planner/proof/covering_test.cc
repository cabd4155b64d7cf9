#include "planner/proof/covering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace baton::planner {
namespace {

using Sizes = std::vector<int>;

const Sizes kShapes[] = {{2, 2},
                         {2, 2, 2},
                         {3, 3, 3, 3},
                         {8, 1, 4},
                         {1, 1},
                         {7, 6, 6, 4, 4, 4, 3, 3, 2, 2, 2, 2},
                         {2, 3, 4, 5, 6, 7, 8},
                         Sizes(40, 2),
                         {8, 4, 4, 8, 4, 4, 7, 6, 6, 3, 3, 2, 4, 2, 3, 2, 4, 2, 3, 2, 2, 4, 4, 4}};

TEST(PairwiseRows, EveryPairOfValuesOfEveryTwoFactorsOccurs) {
  for (const Sizes& sizes : kShapes) {
    const auto rows = PairwiseRows(sizes);
    for (const CoveringRow& row : rows) {
      ASSERT_EQ(row.size(), sizes.size());
      for (size_t f = 0; f < sizes.size(); ++f) {
        ASSERT_GE(row[f], 0);
        ASSERT_LT(row[f], sizes[f]);
      }
    }
    // By looking for each pair, not by counting.
    for (size_t f = 0; f < sizes.size(); ++f) {
      for (size_t g = f + 1; g < sizes.size(); ++g) {
        for (int v = 0; v < sizes[f]; ++v) {
          for (int w = 0; w < sizes[g]; ++w) {
            EXPECT_TRUE(
                std::any_of(rows.begin(), rows.end(),
                            [&](const CoveringRow& row) { return row[f] == v && row[g] == w; }))
                << "factors " << f << " and " << g << ", values " << v << " and " << w;
          }
        }
      }
    }
    EXPECT_EQ(MissingPairs(rows, sizes), 0u);
  }
}

TEST(PairwiseRows, AreFew) {
  for (const Sizes& sizes : kShapes) {
    Sizes sorted = sizes;
    std::sort(sorted.rbegin(), sorted.rend());
    const size_t least = static_cast<size_t>(sorted[0]) * sorted[1];  // no array has fewer
    const size_t rows = PairwiseRows(sizes).size();
    EXPECT_GE(rows, least);
    EXPECT_LE(rows, 2 * least + 2 * sizes.size());
  }
}

TEST(PairwiseRows, AreTheSameEachTime) {
  for (const Sizes& sizes : kShapes) EXPECT_EQ(PairwiseRows(sizes), PairwiseRows(sizes));
}

TEST(PairwiseRows, OneFactorOrNoneIsSimple) {
  EXPECT_TRUE(PairwiseRows({}).empty());
  EXPECT_EQ(PairwiseRows({3}), (std::vector<CoveringRow>{{0}, {1}, {2}}));
}

TEST(MissingPairs, NoticesARowThatIsLeftOut) {
  for (const Sizes& sizes : kShapes) {
    auto rows = PairwiseRows(sizes);
    rows.pop_back();  // each row was made for a pair that the rows before it lack
    EXPECT_GT(MissingPairs(rows, sizes), 0u);
  }
}

}  // namespace
}  // namespace baton::planner
