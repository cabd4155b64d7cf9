// How one copy is cut into pieces for the warps of the kernel.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MAKE_ITEM_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MAKE_ITEM_H_

#include <cstdint>

#include "planner/cursor.h"
#include "transfer_agent/transport/cuda/pull_item.h"

namespace baton::transport::cuda {

// Fills in what follows the sides, whose bases, lists and strides of pages and entries are set. A
// warp takes about `group_bytes` at a time; less of a small chunk, so that enough warps take part.
// False: more pieces than 32 bits count.
bool CutItem(const planner::StridedCopy& copy, uint64_t chunk_bytes, uint32_t group_bytes,
             Item* item);

// Whether `next`, with its sides set, is to be cut as the copy before it was, which is quicker.
bool CutsAlike(const planner::StridedCopy& before, const planner::StridedCopy& copy,
               const Item& done, const Item& next);
void CopyCuts(const Item& done, Item* next);

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MAKE_ITEM_H_
