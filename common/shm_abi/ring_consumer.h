// The agent's end of the ring. Trusts nothing in it: an entry is copied out once, then checked.
//
// Thread-compatible: one consumer at a time. The memory is borrowed.
#ifndef BATON_COMMON_SHM_ABI_RING_CONSUMER_H_
#define BATON_COMMON_SHM_ABI_RING_CONSUMER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/shm_abi/command_codec.h"
#include "common/shm_abi/commands.h"
#include "common/shm_abi/ring_layout.h"

namespace baton::shm_abi {

// Writes the header of a new ring. `memory` has kRingDataOffset + data_bytes, zeroed.
void InitRing(std::byte* memory, uint64_t epoch, uint32_t data_bytes);

class RingConsumer {
 public:
  // Sizes are the agent's own, never read back from the memory. `sizes` bounds what commands name.
  RingConsumer(std::byte* memory, uint64_t epoch, uint32_t data_bytes, TableSizes sizes);

  // The next command; nullopt when there is none. BAD_MESSAGE says what was wrong and at which
  // sequence number; it is final, and every later call repeats it.
  absl::StatusOr<std::optional<Command>> Next();

  // Sequentially consistent with the producer's Commit: see WorkerAsleep.
  bool Empty() const {
    return header_->tail.load(std::memory_order_seq_cst) == head_ && broken_.ok();
  }

 private:
  absl::StatusOr<std::optional<Command>> Take();
  absl::Status CheckTail(uint64_t tail) const;
  absl::StatusOr<EntryHeader> CopyHeader(uint64_t available) const;
  absl::Status CopyBody(const EntryHeader& entry);
  absl::Status Bad(absl::string_view what) const;

  RingHeader* const header_;
  const std::byte* const data_;
  const uint64_t epoch_;
  const uint32_t data_bytes_;
  const TableSizes sizes_;
  uint64_t head_ = 0;
  uint64_t tail_ = 0;  // as last read and checked
  uint64_t sequence_ = 0;
  std::vector<std::byte> copy_;  // grows to the largest entry seen
  absl::Status broken_;
};

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_RING_CONSUMER_H_
