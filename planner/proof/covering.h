// Pairwise covering arrays: few rows in which every value of a factor meets every value of every
// other. What depends on two choices at once shows in one of the rows; all combinations together
// would be too many to try.
#ifndef BATON_PLANNER_PROOF_COVERING_H_
#define BATON_PLANNER_PROOF_COVERING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace baton::planner {

// A row has one value in [0, sizes[f]) for each factor f.
using CoveringRow = std::vector<int>;

// Rows such that for every two factors every pair of their values is in some row. A pure function
// of `sizes` (each at least 1); greedy, in the manner of AETG: each row begins with a pair that is
// still missing and gives every other factor the value that meets most values anew.
std::vector<CoveringRow> PairwiseRows(const std::vector<int>& sizes);

// Pairs of values that no row has: 0 of a covering array. Counts by itself, pair by pair.
uint64_t MissingPairs(const std::vector<CoveringRow>& rows, const std::vector<int>& sizes);

// All pairs of values of every two factors.
uint64_t AllPairs(const std::vector<int>& sizes);

}  // namespace baton::planner

#endif  // BATON_PLANNER_PROOF_COVERING_H_
