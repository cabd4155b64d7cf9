// Makes the two memories that a rank's agent and engine share.
#ifndef BATON_TRANSFER_AGENT_ATTACH_RING_MEMORY_H_
#define BATON_TRANSFER_AGENT_ATTACH_RING_MEMORY_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/shm_abi/command_codec.h"
#include "common/unique_fd.h"
#include "transfer_agent/attach/attached_rank.h"

namespace baton::attach {

struct NewRing {
  UniqueFd for_engine;  // read and write; can neither shrink nor grow
  std::unique_ptr<RingReader> reader;
};

struct NewTable {
  UniqueFd for_engine;  // read only, and no writable mapping can be made from it
  std::unique_ptr<TableWriter> writer;
};

// SYSTEM when memory or descriptors are short.
absl::StatusOr<NewRing> MakeRing(Epoch epoch, uint32_t ring_bytes, shm_abi::TableSizes sizes);
absl::StatusOr<NewTable> MakeTable(Epoch epoch, shm_abi::TableSizes sizes);

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_RING_MEMORY_H_
