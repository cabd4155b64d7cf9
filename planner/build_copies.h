// Gives a flow its addresses on both sides.
#ifndef BATON_PLANNER_BUILD_COPIES_H_
#define BATON_PLANNER_BUILD_COPIES_H_

#include "planner/buffer_table.h"
#include "planner/descriptor.h"
#include "planner/flows.h"

namespace baton::planner {

// Index of a STATE tensor among the STATE tensors of its spec: its place in SidePages::state_rows.
uint32_t StateIndex(const ServerSpec& spec, uint32_t tensor);

// One plane; first_layer is left to the caller. Both tables must be of the context's specs.
CopyDescriptor BuildCopy(const PairContext& context, const Flow& flow, const BufferTable& source,
                         const BufferTable& target);

}  // namespace baton::planner

#endif  // BATON_PLANNER_BUILD_COPIES_H_
