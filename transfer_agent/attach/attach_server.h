// Takes engines in on the raw SEQPACKET Unix socket: checks what they hand over, maps their pools,
// gives them ring, table, doorbell and the agent's pidfd, and notices their end.
//
// Nothing an engine says is trusted: sizes are bounded, descriptors must carry F_SEAL_SHRINK, the
// layout must fit the regions. A refusal names the rank and what to do, to the engine and in the log.
#ifndef BATON_TRANSFER_AGENT_ATTACH_ATTACH_SERVER_H_
#define BATON_TRANSFER_AGENT_ATTACH_ATTACH_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/shm_abi/commands.h"
#include "common/shm_abi/table.h"
#include "common/unique_fd.h"
#include "planner/layout.h"

namespace baton::attach {

// A region as mapped by the agent; unmapped with its owner. Prefill pools are mapped read-only.
class MappedRegion {
 public:
  MappedRegion(UniqueFd fd, std::byte* base, uint64_t size, bool dma_buf)
      : fd_(std::move(fd)), base_(base), size_(size), dma_buf_(dma_buf) {}
  MappedRegion(MappedRegion&& other) noexcept;
  MappedRegion& operator=(MappedRegion&&) = delete;
  ~MappedRegion();

  int fd() const { return fd_.get(); }
  std::byte* base() const { return base_; }  // null for a dma-buf
  uint64_t size() const { return size_; }
  bool dma_buf() const { return dma_buf_; }

 private:
  UniqueFd fd_;
  std::byte* base_;
  uint64_t size_;
  bool dma_buf_;
};

// The agent's end of a rank's ring. One reader: the worker's thread.
class RingReader {
 public:
  virtual ~RingReader() = default;
  // The next command, copied out and checked; nullopt when there is none. An error is final: the
  // engine wrote nonsense and is to be detached.
  virtual absl::StatusOr<std::optional<shm_abi::Command>> Next() = 0;
  virtual bool Empty() const = 0;
};

// The agent's end of a rank's completion table. One writer: the worker's thread.
class TableWriter {
 public:
  virtual ~TableWriter() = default;
  virtual uint32_t slots() const = 0;
  virtual void SetPrefix(uint32_t slot, uint64_t prefix_tokens) = 0;
  virtual void SetBytes(uint32_t slot, uint64_t bytes) = 0;
  // Before Publish(kFailed).
  virtual void SetCause(uint32_t slot, const absl::Status& cause) = 0;
  virtual void Publish(uint32_t slot, shm_abi::RoomWord word) = 0;
  virtual void Heartbeat() = 0;
  // Announce sleep, then look at the ring once more before sleeping.
  virtual void SetAsleep(bool asleep) = 0;
};

using AttachmentId = StrongId<struct AttachmentIdTag, uint64_t>;

// Everything of one attached rank. The worker owns it until the rank is detached; destroying it
// unmaps and closes everything and ends the connection.
struct AttachedRank {
  AttachmentId id;
  RankRef rank;
  Role role = Role::kPrefill;
  std::string launch_id;
  std::string model;
  planner::ServerSpec spec;
  planner::RankLayout layout;
  std::map<std::string, std::string> labels;
  bool device_orders_writes = false;
  int64_t engine_pid = 0;
  std::vector<MappedRegion> regions;
  std::unique_ptr<RingReader> ring;
  std::unique_ptr<TableWriter> table;
  // The engine writes it when the worker sleeps; in the worker's epoll set.
  UniqueFd doorbell;
};

class AttachEvents {
 public:
  virtual ~AttachEvents() = default;
  // On the attach thread. An error refuses the engine with that cause (a rank that is attached
  // already, say); the engine waits for the answer.
  virtual absl::Status OnAttach(std::unique_ptr<AttachedRank> rank) = 0;
  // The engine closed its connection or died. On the attach thread; once for each accepted rank.
  virtual void OnDetach(AttachmentId id) = 0;
};

struct AttachOptions {
  std::string socket_path;
  Epoch epoch;
  std::string version;
  uint64_t pool_bytes_max = uint64_t{1} << 46;
  uint32_t ranks_max = 64;
};

class AttachServer {
 public:
  // CONFIG names the socket path when it cannot be bound, SYSTEM when /dev/shm is missing or full.
  static absl::StatusOr<std::unique_ptr<AttachServer>> Start(AttachOptions options,
                                                            AttachEvents* events);
  virtual ~AttachServer() = default;
  // Ends one attachment from this side; OnDetach follows.
  virtual void Detach(AttachmentId id) = 0;
  // No event after it returns.
  virtual void Stop() = 0;
};

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_ATTACH_SERVER_H_
