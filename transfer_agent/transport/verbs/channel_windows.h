// The memory windows of a channel's receiving end: the only keys by which its source can write.
//
// One of type 2 for each piece of memory on each queue pair, bound by work requests of that queue
// pair and good for what arrives over it alone: a key that leaks is of no use to another peer. Once
// their invalidation has completed, no write of the channel lands, whatever the source had posted,
// and whether or not the device can take its queue pairs down: the fence of last resort.
// Slow path. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_WINDOWS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_WINDOWS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/verbs/local_memory.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/queue_pair.h"

namespace baton::transport::verbs {

class ChannelWindows {
 public:
  // Posts the binds: what is sent over the same queue pair afterwards leaves when they are done.
  // The queue pairs are connected, with room for one send for each window, and outlive it. FULL
  // when a device has no window left.
  static absl::StatusOr<std::unique_ptr<ChannelWindows>> Bind(
      absl::Span<const std::unique_ptr<QueuePair>> queue_pairs,
      absl::Span<const LocalMemory* const> memories);
  ~ChannelWindows();
  ChannelWindows(const ChannelWindows&) = delete;
  ChannelWindows& operator=(const ChannelWindows&) = delete;

  // For the source: those of queue pair q in the place of rail q.
  std::vector<RemoteMemory> Keys() const;
  // Makes every key invalid, in the order of the queue pairs' sends; what is posted already goes
  // out before. Further calls change nothing.
  absl::Status Invalidate();
  bool invalidating() const { return !ends_.empty(); }
  // The device has said so of every one.
  bool invalidated() const;
  // Before the memory's registrations go.
  void Forget(const LocalMemory* memory);

 private:
  struct Window {
    const LocalMemory* memory = nullptr;
    size_t queue_pair = 0;
    ibv_mw* window = nullptr;
    uint32_t key = 0;
  };

  explicit ChannelWindows(absl::Span<const std::unique_ptr<QueuePair>> queue_pairs);
  absl::Status Add(const LocalMemory* memory, size_t queue_pair, const LocalMemory::Piece& piece);
  void Free(const Window& window) const;

  std::vector<QueuePair*> queue_pairs_;
  std::vector<Window> windows_;  // by memory, queue pair, piece
  std::vector<uint64_t> ends_;   // of each queue pair: its sends up to the last invalidation
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_WINDOWS_H_
