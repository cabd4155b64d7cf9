// Everything that the agent's worker has of one attached rank.
#ifndef BATON_TRANSFER_AGENT_ATTACH_ATTACHED_RANK_H_
#define BATON_TRANSFER_AGENT_ATTACH_ATTACHED_RANK_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/shm_abi/commands.h"
#include "common/shm_abi/peer_row.h"
#include "common/shm_abi/table.h"
#include "common/unique_fd.h"
#include "planner/layout.h"
#include "transfer_agent/attach/mapped_region.h"

namespace baton::attach {

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
  // Rows for what is said of peer servers.
  virtual uint32_t peers() const = 0;
  virtual void SetPrefix(uint32_t slot, uint64_t prefix_tokens) = 0;
  virtual void SetBytes(uint32_t slot, uint64_t bytes) = 0;
  // Of an announced room; before the first Publish that says that its sources are complete.
  virtual void SetSourceTokens(uint32_t slot, uint64_t tokens) = 0;
  // Before the first Publish(kFailed) of a room, once.
  virtual void SetCause(uint32_t slot, const absl::Status& cause) = 0;
  virtual void Publish(uint32_t slot, shm_abi::RoomWord word) = 0;
  virtual void PublishPeer(uint32_t peer, const shm_abi::PeerAnswer& answer) = 0;
  virtual void Heartbeat() = 0;
  // Announce sleep, then look at the ring once more before sleeping.
  virtual void SetAsleep(bool asleep) = 0;
};

// Ends the engine's connection with its life, whoever else holds the socket; but not before the
// engine has its answer.
class ConnectionEnd {
 public:
  // The socket goes down when the engine is answered and the rank is gone, in either order.
  class Link {
   public:
    explicit Link(UniqueFd fd) : fd_(std::move(fd)) {}
    void Answered() { Step(); }
    void RankGone() { Step(); }

   private:
    void Step();
    UniqueFd fd_;
    std::atomic<int> steps_{0};
  };

  ConnectionEnd() = default;
  explicit ConnectionEnd(std::shared_ptr<Link> link) : link_(std::move(link)) {}
  ConnectionEnd(ConnectionEnd&&) noexcept = default;
  ConnectionEnd& operator=(ConnectionEnd&& other) noexcept;
  ~ConnectionEnd() { Reset(); }

 private:
  void Reset();
  // Shared by the attach server's thread and the worker's: which of them is last is not known.
  std::shared_ptr<Link> link_;
};

using AttachmentId = StrongId<struct AttachmentIdTag, uint64_t>;

// The worker owns it until the rank is detached; destroying it unmaps and closes everything and
// ends the connection. Before it does so for a living engine it publishes the end of every open
// room, `released`: to an engine the end of the connection alone proves nothing.
struct AttachedRank {
  // First, and so destroyed last: the engine learns of the end when nothing of it is held any more.
  ConnectionEnd connection;
  AttachmentId id;
  RankRef rank;
  Role role = Role::kPrefill;
  std::string launch_id;
  std::string model;
  planner::ServerSpec spec;
  planner::RankLayout layout;
  std::map<std::string, std::string> labels;
  std::vector<std::string> aliases;  // other names of the server
  bool device_orders_writes = false;
  int64_t engine_pid = 0;  // 0: not visible from here (another pid namespace)
  std::vector<MappedRegion> regions;
  std::unique_ptr<RingReader> ring;
  std::unique_ptr<TableWriter> table;
  // The engine writes it when the worker sleeps; in the worker's epoll set. Non-blocking.
  UniqueFd doorbell;
};

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_ATTACHED_RANK_H_
