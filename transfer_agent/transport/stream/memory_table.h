// The memory of the hosted ranks, as exported. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_MEMORY_TABLE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_MEMORY_TABLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// Address does not change until it is removed.
struct Memory {
  std::vector<LocalRegion> regions;

  // Null when [offset, offset + length) is not inside the region. Not for GPU memory.
  std::byte* At(uint32_t region, uint64_t offset, uint64_t length) const {
    if (region >= regions.size()) return nullptr;
    const LocalRegion& r = regions[region];
    if (offset > r.size || length > r.size - offset) return nullptr;
    return r.base + offset;
  }
};

class MemoryTable {
 public:
  // NO_TRANSPORT for memory that this host cannot address (a dma-buf), unless `gpu` says that the
  // path can.
  absl::StatusOr<MemoryId> Add(absl::Span<const LocalRegion> regions, bool gpu = false);
  void Remove(MemoryId id) { memories_.erase(id); }
  // Null when unknown.
  const Memory* Find(MemoryId id) const;

 private:
  uint32_t last_id_ = 0;
  absl::flat_hash_map<MemoryId, std::unique_ptr<Memory>> memories_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_MEMORY_TABLE_H_
