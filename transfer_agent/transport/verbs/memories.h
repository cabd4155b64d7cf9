// The memories of one worker: those of its own ranks, registered, and those of ranks elsewhere that
// it was given keys to. Tells nobody of a change: who holds a LocalMemory lets go of it before
// Forget. Slow path, but for Find and Remote. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_MEMORIES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_MEMORIES_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/local_memory.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/rail.h"

namespace baton::transport::verbs {

class Memories {
 public:
  // `windows`: peers write to target memory by keys of their channel alone (channel_windows.h).
  explicit Memories(bool windows);

  // Registers them on every rail. Errors as LocalMemory::Register has them.
  absl::StatusOr<MemoryId> Export(absl::Span<const LocalRegion> regions,
                                  absl::Span<const std::unique_ptr<Rail>> rails);
  // Null when it is not exported.
  const LocalMemory* Find(MemoryId memory) const;
  void Forget(MemoryId memory);
  // Those to which channels have keys of their own.
  std::vector<const LocalMemory*> Windowed() const;

  absl::StatusOr<RemoteMemoryId> Import(PeerId peer, absl::string_view key);
  // Null when it is not a memory of that peer.
  const RemoteMemory* Remote(PeerId peer, RemoteMemoryId memory) const;
  void ForgetPeer(PeerId peer);

 private:
  const uint64_t worker_;  // 0: no windows; else the upper bits of what channels call a memory
  uint32_t last_memory_ = 0;
  uint32_t last_import_ = 0;
  absl::flat_hash_map<MemoryId, std::unique_ptr<LocalMemory>> memories_;
  absl::flat_hash_map<RemoteMemoryId, std::pair<PeerId, std::unique_ptr<RemoteMemory>>> imports_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_MEMORIES_H_
