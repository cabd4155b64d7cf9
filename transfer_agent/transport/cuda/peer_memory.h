// The memory that one source lent over one channel, mapped for a GPU when it first reads from it.
// Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PEER_MEMORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PEER_MEMORY_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/cuda/mapping_job.h"
#include "transfer_agent/transport/cuda/message.h"

namespace baton::transport::cuda {

class PeerMemory {
 public:
  explicit PeerMemory(GpuTable* gpus) : gpus_(gpus) {}

  // BAD_MESSAGE: records and descriptors do not match, or the number is in use; TOO_LARGE: too
  // many.
  absl::Status Add(uint32_t memory, absl::Span<const MemoryRecord> records,
                   std::vector<UniqueFd> fds);
  void Remove(uint32_t memory) { memories_.erase(memory); }

  // A GPU that has a region of it; null: all of it is host memory.
  absl::StatusOr<Gpu*> GpuOf(uint32_t memory);
  // Stays as long as the pointer does; null: it is being mapped. NO_TRANSPORT: `gpu` cannot reach
  // it; BAD_REGION: it is not what was said.
  absl::StatusOr<SharedRegions> On(const Gpu* gpu, uint32_t memory);

 private:
  struct Lent {
    std::vector<MemoryRecord> records;
    std::vector<UniqueFd> fds;  // -1 for records without one
    // Last: jobs use the descriptors.
    absl::flat_hash_map<const Gpu*, MappingJob> mapped;
  };
  absl::StatusOr<Lent*> Find(uint32_t memory);

  GpuTable* const gpus_;
  absl::flat_hash_map<uint32_t, Lent> memories_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PEER_MEMORY_H_
