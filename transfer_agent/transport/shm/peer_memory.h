// Read-only mappings of the memory that one source lent over one channel. Everything in a run is
// checked here: a source can name only what it lent. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_PEER_MEMORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_PEER_MEMORY_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/memfd.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/frame.h"

namespace baton::transport::shm {

// Memories that one channel may lend: ranks of one worker, with room for restarts.
inline constexpr size_t kMemoriesPerChannelMax = 256;

class PeerMemory {
 public:
  // Maps the regions. BAD_REGION: one that could shrink or is smaller than said; BAD_MESSAGE: the
  // number is in use; TOO_LARGE: too many.
  absl::Status Add(uint32_t memory, absl::Span<const uint64_t> sizes,
                   absl::Span<const UniqueFd> fds);
  void Remove(uint32_t memory) { memories_.erase(memory); }

  // Addresses of the runs, which must make up `length` bytes; valid until the next Resolve.
  // BAD_MESSAGE names what is out of bounds.
  absl::StatusOr<absl::Span<const absl::Span<const std::byte>>> Resolve(
      uint32_t memory, absl::Span<const RunRecord> runs, uint64_t length);

 private:
  absl::flat_hash_map<uint32_t, std::vector<Mapping>> memories_;
  std::vector<absl::Span<const std::byte>> pieces_;
};

}  // namespace baton::transport::shm

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_PEER_MEMORY_H_
