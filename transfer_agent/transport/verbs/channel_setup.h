// Makes channels, connects them and takes them apart: queue pairs over rails, keys by memory
// windows, and what the two ends tell each other of both. Keeps no channel. Slow path.
// Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_SETUP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_SETUP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/verbs/channel.h"
#include "transfer_agent/transport/verbs/loop.h"
#include "transfer_agent/transport/verbs/memories.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/queue_pairs.h"
#include "transfer_agent/transport/verbs/rail.h"

namespace baton::transport::verbs {

// TRANSPORT: the channel was opened before the peer had that memory.
absl::Status NoKeys();

class ChannelSetup {
 public:
  // All outlive it.
  ChannelSetup(Loop* loop, const Memories* memories, QueuePairs* queue_pairs)
      : loop_(loop), memories_(memories), queue_pairs_(queue_pairs) {}

  // The completion queues have room for a channel with a queue pair on each of `rails`.
  bool Fits(absl::Span<Rail* const> rails, bool source) const;
  // Those, of one that is opened.
  absl::StatusOr<std::unique_ptr<Channel>> Offer(PeerId peer, absl::Span<Rail* const> rails);
  static std::string OpenData(const Channel& channel, std::vector<uint32_t> avoid_rails);
  // Connected to the source's, its memory windows about to be bound.
  absl::StatusOr<std::unique_ptr<Channel>> Answer(PeerId peer, absl::Span<Rail* const> rails,
                                                  const Greeting& open);
  static std::string AcceptData(const Channel& channel);
  // The answer to an offer: the channel is up, or waits for the target's hello.
  absl::Status Connect(Channel* channel, Greeting accept);
  // Its queue pairs are in reset afterwards.
  void Release(Channel* channel);

  // Channels made so far.
  uint64_t made() const { return last_channel_; }

 private:
  // Windows that a target binds on one queue pair.
  uint32_t Windows() const;
  absl::StatusOr<std::unique_ptr<Channel>> Make(PeerId peer, ChannelState state,
                                                absl::Span<Rail* const> rails);
  absl::Status Bind(Channel* channel) const;

  Loop* const loop_;
  const Memories* const memories_;
  QueuePairs* const queue_pairs_;
  uint64_t last_channel_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_SETUP_H_
