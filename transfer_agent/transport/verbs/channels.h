// The channels of one worker: opened, accepted, ended, and how many there may be.
//
// Ends a channel whose peer, rail or fence demands it, when it is told; finds out by the clock
// alone which ones come up too late, and which peers say nothing. Knows rails and memories, and
// neither windows nor fences: who may have a channel is the caller's to ask. Slow path, but for
// Find and the run queue. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNELS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNELS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/channel.h"
#include "transfer_agent/transport/verbs/channel_setup.h"
#include "transfer_agent/transport/verbs/loop.h"
#include "transfer_agent/transport/verbs/rails.h"
#include "transfer_agent/transport/verbs/run_queue.h"

namespace baton::transport::verbs {

class Channels {
 public:
  using Table = absl::flat_hash_map<ChannelId, std::unique_ptr<Channel>>;
  // Takes all completions that are there.
  using Drain = absl::FunctionRef<void()>;
  // Something of that peer is awaited: it keeps its channels.
  using Awaited = absl::FunctionRef<bool(PeerId)>;

  // All outlive it.
  Channels(Loop* loop, Rails* rails, const Memories* memories, QueuePairs* queue_pairs)
      : loop_(loop),
        rails_(rails),
        queue_pairs_(queue_pairs),
        setup_(loop, memories, queue_pairs) {}
  ~Channels();

  // --- as Transport has them. One that is not used gives way when there are too many.
  absl::StatusOr<OpenedChannel> Open(PeerId peer, Drain drain);
  absl::StatusOr<OpenedChannel> Accept(PeerId peer, absl::string_view data, Awaited awaited);
  absl::Status Complete(ChannelId id, absl::string_view data);
  void Close(ChannelId id);
  bool Superseded(ChannelId id) const;
  void ForgetPeer(PeerId peer);

  // Null when it has ended.
  Channel* Find(ChannelId id) const;
  const Table& all() const { return channels_; }
  void Use(Channel* channel) { channel->used = ++uses_; }
  RunQueue& run_queue() { return run_queue_; }

  // --- ends; each leaves its queue pairs in reset
  // Tells of it, unless it was leaving.
  void Fail(Channel* channel, const absl::Status& cause);
  // Tells of its segments alone.
  void End(Channel* channel, const absl::Status& cause);
  void Lose(const Loss& loss);
  // Those that the peer writes over.
  void FailTargets(PeerId peer, const absl::Status& cause);

  // --- keys
  // Makes those of the peer's channels invalid. True: none is valid any more, or there were none.
  bool Revoke(PeerId peer);
  // The peer has that memory now: channels without keys to it are to be replaced.
  void Supersede(PeerId peer, const RemoteMemory& memory);
  void ForgetMemory(const LocalMemory* memory);

  // --- by the clock
  void Look(TimePoint now);
  std::optional<TimePoint> NextDue(TimePoint now) const;

 private:
  absl::Status MakeRoom(absl::Span<Rail* const> rails, bool source, Awaited awaited, Drain drain);
  OpenedChannel Keep(std::unique_ptr<Channel> channel, std::string data);
  // Drains, says goodbye, ends.
  void Leave(Channel* channel, const absl::Status& cause);
  template <typename Match>
  void FailIf(Match match, const absl::Status& cause);
  void Probe(Channel* channel, TimePoint now);

  Loop* const loop_;
  Rails* const rails_;
  QueuePairs* const queue_pairs_;
  ChannelSetup setup_;
  uint64_t uses_ = 0;
  Table channels_;
  RunQueue run_queue_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNELS_H_
