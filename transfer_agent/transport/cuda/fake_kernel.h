// The stand-in's kernel.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_FAKE_KERNEL_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_FAKE_KERNEL_H_

#include <cstdint>
#include <cstring>

#include "transfer_agent/transport/cuda/pull_item.h"

namespace baton::transport::cuda {

// Like the kernel, a group at a time; but one after another.
inline void RunPull(const Launch& launch) {
  for (uint32_t g = 0; g < launch.groups; ++g) {
    const Slice& slice = FindSlice(launch, g);
    const uint32_t wanted = g - slice.launch_group + slice.group_begin;
    uint32_t i = slice.item_count - 1;
    while (slice.items[i].first_group > wanted) --i;
    const Item& item = slice.items[i];
    const uint32_t group = wanted - item.first_group;
    for (uint32_t p = 0; p < item.group_pieces; ++p) {
      const Piece piece = PieceAt(item, group * item.group_pieces + p);
      if (piece.bytes == 0) continue;
      std::memcpy(reinterpret_cast<void*>(piece.target),
                  reinterpret_cast<const void*>(piece.source), piece.bytes);
    }
  }
}

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_FAKE_KERNEL_H_
