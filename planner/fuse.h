// Merges copies whose bytes lie side by side on both sides: K and V of one entry, tensors of one
// page, layers of one cross-layer block.
#ifndef BATON_PLANNER_FUSE_H_
#define BATON_PLANNER_FUSE_H_

#include "planner/descriptor.h"
#include "planner/plan.h"

namespace baton::planner {

// Sorts the copies and merges neighbours. Each must have one plane. Deterministic.
void FuseCopies(PairPlan* plan);

}  // namespace baton::planner

#endif  // BATON_PLANNER_FUSE_H_
