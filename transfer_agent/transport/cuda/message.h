// Bodies of the packets of a cuda channel; the packets are shm's. kMemory carries MemoryRecords and
// the descriptors of those that have one, in order; kPages carries the page lists of one chunk as
// 32-bit words, over as many packets as it takes.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MESSAGE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MESSAGE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/device_share.h"
#include "planner/cursor.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport::cuda {

struct MemoryRecord {
  uint64_t size = 0;
  uint64_t offset = 0;
  uint64_t allocation_bytes = 0;
  uint32_t kind = 0;  // of a DeviceShare; kNone: host memory
  uint32_t zero = 0;
  unsigned char device[16] = {};
  unsigned char ipc[64] = {};

  bool has_descriptor() const { return kind != static_cast<uint32_t>(DeviceShare::Kind::kIpc); }
};
static_assert(sizeof(MemoryRecord) == 112);

MemoryRecord ToRecord(const LocalRegion& region);
// With `fd` as its descriptor. BAD_MESSAGE: of no known kind.
absl::StatusOr<DeviceShare> ToShare(const MemoryRecord& record, int fd);

// Words of one chunk's lists; the first says how many there are.
inline constexpr uint32_t kPageWordsMax = 2 << 20;
void EncodePages(const planner::SidePages& pages, std::vector<int32_t>* words);

// Lists as they came: the spans point into `words`, which must stay as it is.
struct ReadPages {
  std::vector<int32_t> words;
  planner::SidePages pages;

  // BAD_MESSAGE: the words contradict themselves.
  absl::Status Parse();
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MESSAGE_H_
