// Takes engines in on the raw SEQPACKET Unix socket: checks what they hand over, maps their pools,
// gives them ring, table, doorbell and the agent's pidfd, and notices their end.
//
// Nothing an engine says is trusted: sizes are bounded, descriptors must carry F_SEAL_SHRINK, the
// layout must fit the regions. A refusal names the rank and what to do, to the engine and in the
// log.
#ifndef BATON_TRANSFER_AGENT_ATTACH_ATTACH_SERVER_H_
#define BATON_TRANSFER_AGENT_ATTACH_ATTACH_SERVER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "transfer_agent/attach/attached_rank.h"

namespace baton::attach {

class AttachEvents {
 public:
  virtual ~AttachEvents() = default;
  // On the attach thread. An error refuses the engine with that cause (a rank that is attached
  // already, say); the engine waits for the answer. A rank is accepted again only when every room
  // of its former attachment is released: engines take the acceptance as proof of that.
  virtual absl::Status OnAttach(std::unique_ptr<AttachedRank> rank) = 0;
  // The engine closed its connection or died. On the attach thread; once for each accepted rank.
  virtual void OnDetach(AttachmentId id) = 0;
};

struct AttachOptions {
  std::string socket_path;
  uint32_t socket_mode = 0600;
  Epoch epoch;
  std::string version;
  uint64_t pool_bytes_max = uint64_t{1} << 46;
  uint32_t ranks_max = 64;
  // Engines that have connected and not yet handed everything over, and how long they may take.
  uint32_t half_open_max = 16;
  std::chrono::milliseconds handshake_timeout{5000};
  // Host pools will be registered with a NIC: refuse those that RLIMIT_MEMLOCK cannot cover.
  bool pins_host_memory = false;
};

class AttachServer {
 public:
  // CONFIG names the socket path when it cannot be bound, SYSTEM when shared memory cannot be had.
  static absl::StatusOr<std::unique_ptr<AttachServer>> Start(AttachOptions options,
                                                             AttachEvents* events);
  virtual ~AttachServer() = default;
  // Ends one attachment from this side; OnDetach follows. From any thread.
  virtual void Detach(AttachmentId id) = 0;
  // No event after it returns. Not from an event. Connections live on with their AttachedRank.
  virtual void Stop() = 0;
};

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_ATTACH_SERVER_H_
