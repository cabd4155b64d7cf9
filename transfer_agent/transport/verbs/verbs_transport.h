// The verbs transport: channels of RC queue pairs, RDMA writes by the source, immediates for parts.
//
// Its target side never sees bytes arrive: what it knows is which parts are closed. So a fence
// needs the source's word (FenceDrained) or the end of every queue pair from that peer.
// docs/design/verbs.md has the reasons.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_TRANSPORT_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_TRANSPORT_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/channel.h"
#include "transfer_agent/transport/verbs/channel_setup.h"
#include "transfer_agent/transport/verbs/flusher.h"
#include "transfer_agent/transport/verbs/local_memory.h"
#include "transfer_agent/transport/verbs/path_pauses.h"
#include "transfer_agent/transport/verbs/places.h"
#include "transfer_agent/transport/verbs/rail.h"
#include "transfer_agent/transport/verbs/target_datapath.h"

namespace baton::transport::verbs {

class VerbsTransport final : public Transport {
 public:
  // NO_TRANSPORT lists every device that was tried.
  static absl::StatusOr<std::unique_ptr<VerbsTransport>> Create(std::unique_ptr<Provider> provider,
                                                                const VerbsOptions& options);
  ~VerbsTransport() override;

  const Selection& selection() const { return selection_; }
  // Of each of its ports, also for another thread and when it is gone.
  std::vector<std::shared_ptr<const PortMetrics>> port_metrics() const;

  const Capabilities& capabilities() const override;
  absl::StatusOr<ExportedMemory> ExportMemory(absl::Span<const LocalRegion> regions) override;
  void ForgetMemory(MemoryId memory) override;
  absl::StatusOr<RemoteMemoryId> ImportMemory(PeerId peer, absl::string_view key) override;
  absl::StatusOr<OpenedChannel> Open(PeerId peer) override;
  absl::StatusOr<OpenedChannel> Accept(PeerId peer, absl::string_view data) override;
  absl::Status Complete(ChannelId channel, absl::string_view data) override;
  void Close(ChannelId channel) override;
  void Retire(ChannelId channel) override;
  bool Superseded(ChannelId channel) const override;
  void ForgetPeer(PeerId peer) override;
  absl::Status OpenWindow(Window window) override;
  void Fence(PeerId peer, OfferId offer) override;
  void FenceDrained(PeerId peer, OfferId offer) override;
  Submitted Submit(ChannelId channel, Segment segment) override;
  void Cancel(ChannelId channel, OfferId offer) override;
  bool Poll(TimePoint now, Events* events) override;
  int wait_fd() const override { return epoll_.get(); }
  bool PrepareToSleep() override;
  Counters counters() const override { return counters_; }

 private:
  struct PendingFence {
    PeerId peer;
    OfferId offer;
    const LocalMemory* memory = nullptr;               // to be flushed before the fence is told of
    std::optional<TimePoint> deadline = std::nullopt;  // set by the next Poll
    // The keys of the source's channels are being made invalid, until then at most.
    std::optional<TimePoint> invalid_by = std::nullopt;
  };

  VerbsTransport(std::unique_ptr<Provider> provider, const VerbsOptions& options,
                 Selection selection);
  absl::Status Build();
  absl::Status Watch(int fd);

  // channels.cc
  absl::StatusOr<std::unique_ptr<Channel>> NewChannel(PeerId peer, ChannelState state,
                                                      absl::Span<Rail* const> rails);
  std::vector<Rail*> UsableRails() const;
  // Without those over which the peer was not reached of late.
  std::vector<Rail*> RailsTo(PeerId peer) const;
  // Ours for each of the source's queue pairs.
  std::vector<Rail*> RailsFor(const Greeting& open) const;
  size_t IndexOf(const Rail* rail) const;
  OpenedChannel Keep(std::unique_ptr<Channel> channel, std::string data);
  // Ends the channel that was not used for longest, when there are as many as may be. FULL when all
  // are in use.
  absl::Status MakeRoom(absl::Span<Rail* const> rails, bool source);
  bool Fits(absl::Span<Rail* const> rails, bool source) const;
  QueueSizes SizesFor(const Rail& rail, bool source) const;
  size_t OpenChannels(bool source) const;
  bool Idle(const Channel& channel) const;
  Channel* LeastRecentlyUsed(bool source) const;
  absl::StatusOr<std::unique_ptr<Channel>> Answer(PeerId peer, const Greeting& open);
  absl::Status ConnectSource(Channel* channel, Greeting accept);
  Channel* Find(ChannelId channel) const;

  // endings.cc
  void Fail(Channel* channel, const absl::Status& cause);
  // Its queue pairs are in reset afterwards, its segments over.
  void Remove(Channel* channel, const absl::Status& cause);
  void Release(Channel* channel);
  // Drains, says goodbye, ends.
  void Leave(Channel* channel, const absl::Status& cause);
  void CheckRetired();

  // window_keys.cc
  // Of target memory, while there are memory windows.
  std::vector<const LocalMemory*> WindowedMemories() const;
  absl::Status BindWindows(Channel* channel);
  // Null: the channel has no keys to that memory.
  static const RemoteMemory* KeysOf(const Channel& channel, const RemoteMemory& memory);
  static absl::Status NoKeys();
  // Channels that the memory's worker accepted before it had that memory.
  void Supersede(PeerId peer, const RemoteMemory& memory);

  // completions.cc
  bool PollRails();
  bool PollRail(Rail* rail);
  void OnCompletion(const ibv_wc& wc);
  void OnReceived(Channel* channel, uint32_t index, const ibv_wc& wc);
  absl::Status OnWord(Channel* channel, uint32_t index, WordImmediate word);
  void ReturnCredits(QueuePair* qp);
  void MakeRunnable(Channel* channel);
  bool Post();
  bool PostChannel(Channel* channel);

  // clockwork.cc
  bool CheckClock(TimePoint now);
  void CheckChannels(TimePoint now);
  void CheckFences(TimePoint now);
  bool AwaitsInvalidation(PendingFence* fence, TimePoint now);
  void Probe(Channel* channel, TimePoint now);
  bool SayGoodbye(Channel* channel);
  // False: none is pending.
  bool EndFence(PeerId peer, OfferId offer);

  // flushes.cc
  void OnPartDone(const Channel& channel, const Flusher::Waiting& part, const LocalMemory& memory);
  void OnFlushed(const Flusher::Waiting& waiting, const absl::Status& status);
  absl::StatusOr<Flusher::Place> TakeLoopPlace(size_t rail);
  void ArmTimer();
  void RefreshGauges();

  // async_events.cc
  bool TakeAsyncEvents();
  void OnAsyncEvent(Rail* rail, const ibv_async_event& event);
  void PausePath(const Channel& channel, const QueuePair& qp);
  void FailRail(Rail* rail, const absl::Status& cause);
  void FailChannels(const Rail& rail, bool sources_only, const absl::Status& cause);
  void OnPortEvent(Rail* rail, bool up, const std::string& text);
  // Channels over ports that stay down move to others.
  void CheckPorts(TimePoint now);
  // Of the port's GIDs and LID: what peers were told may be true no more.
  void CheckAddress(Rail* rail, const std::string& text);
  void OnQueuePairEvent(const ibv_async_event& event, const std::string& text);
  Channel* ChannelOf(const ibv_qp* qp);

  const std::unique_ptr<Provider> provider_;
  const VerbsOptions options_;
  const Selection selection_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::vector<std::unique_ptr<Rail>> rails_;
  Graveyard graveyard_;
  EventQueue events_;
  Counters counters_;
  TargetDatapath target_;
  Flusher flusher_;

  uint64_t worker_ = 0;  // drawn: the upper bits of what channels call a memory
  uint32_t last_memory_ = 0;
  uint32_t last_import_ = 0;
  uint64_t last_channel_ = 0;
  uint64_t uses_ = 0;
  absl::flat_hash_map<MemoryId, std::unique_ptr<LocalMemory>> memories_;
  absl::flat_hash_map<RemoteMemoryId, std::pair<PeerId, std::unique_ptr<RemoteMemory>>> imports_;
  absl::flat_hash_map<ChannelId, std::unique_ptr<Channel>> channels_;
  Places places_;
  std::vector<Channel*> runnable_;
  std::vector<PendingFence> fences_;
  // Fences that ended without the source's answer. Until it comes, a source that never heard of
  // them may still open a channel and write: it gets none.
  std::map<PeerId, std::set<OfferId>> unanswered_;
  PathPauses pauses_;
  // To be told, when parts up to that number were.
  std::vector<std::pair<ChannelId, uint64_t>> retired_;

  TimePoint now_;
  TimePoint next_check_;
  bool armed_ = false;  // the completion queues wake us
  bool look_at_clock_ = false;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_TRANSPORT_H_
