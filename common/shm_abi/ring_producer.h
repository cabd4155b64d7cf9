// The engine's end of the ring.
//
//   std::byte* body = producer.Reserve(bytes);     // null: full
//   ... write the body in place ...
//   producer.Commit(EntryKind::kSend);
//   if (WorkerAsleep(table_header)) write the doorbell
//
// Thread-compatible: one producer at a time. The memory is borrowed. Nothing allocates or blocks.
#ifndef BATON_COMMON_SHM_ABI_RING_PRODUCER_H_
#define BATON_COMMON_SHM_ABI_RING_PRODUCER_H_

#include <cstddef>
#include <cstdint>

#include "common/shm_abi/ring_layout.h"
#include "common/shm_abi/table.h"

namespace baton::shm_abi {

class RingProducer {
 public:
  // `memory` is a whole ring (header and data) that nobody has produced to yet.
  explicit RingProducer(std::byte* memory);

  // Where a body of that size goes; null when the ring has no room for it now. What was reserved
  // and not committed is forgotten by the next Reserve. `body_bytes` must be at most
  // body_bytes_max.
  std::byte* Reserve(uint32_t body_bytes);
  void Commit(EntryKind kind);

  uint32_t body_bytes_max() const {
    return EntryBytesMax(data_bytes_) - static_cast<uint32_t>(sizeof(EntryHeader));
  }

 private:
  bool HasRoom(uint64_t bytes);
  void WriteHeader(EntryKind kind, uint32_t body_bytes);

  RingHeader* const header_;
  std::byte* const data_;
  const uint32_t data_bytes_;
  const uint64_t epoch_;
  uint64_t tail_ = 0;
  uint64_t head_ = 0;  // as last read
  uint64_t sequence_ = 0;
  uint32_t reserved_body_ = 0;
};

// Whether the doorbell must be written after a Commit. The commit's store and this load are both
// sequentially consistent, and so are their mirror images in the worker (announce sleep, look at
// the ring): at least one of the two sees the other, so no entry is left behind a sleeping worker.
inline bool WorkerAsleep(const TableHeader& table) {
  return table.asleep.load(std::memory_order_seq_cst) != 0;
}

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_RING_PRODUCER_H_
