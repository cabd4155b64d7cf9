// The verbs transport: channels of RC queue pairs, RDMA writes by the source, immediates for parts.
//
// Its target side never sees bytes arrive: what it knows is which parts are closed. So a fence
// needs the source's word (FenceDrained) or the end of every queue pair from that peer.
//
// It does nothing itself but the order of things. Five objects do the work, each with fields of its
// own, and what stands lower in this list knows nothing of what stands higher:
//
//   datapath   completions in, chains of writes out     calls channels, rails, memories
//   channels   opened, accepted, ended, how many        calls rails, memories
//   fences     when a window may be reused              pure: is told, answers
//   memories   own pools and keys to others'
//   rails      ports: which are good, what they say     losses are handed back, never acted on
//
// docs/design/verbs.md has the drawing and the reasons.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_TRANSPORT_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_TRANSPORT_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/channels.h"
#include "transfer_agent/transport/verbs/datapath.h"
#include "transfer_agent/transport/verbs/fences.h"
#include "transfer_agent/transport/verbs/loop.h"
#include "transfer_agent/transport/verbs/memories.h"
#include "transfer_agent/transport/verbs/queue_pairs.h"
#include "transfer_agent/transport/verbs/rails.h"
#include "transfer_agent/transport/verbs/wakeups.h"

namespace baton::transport::verbs {

class VerbsTransport final : public Transport {
 public:
  // NO_TRANSPORT lists every device that was tried.
  static absl::StatusOr<std::unique_ptr<VerbsTransport>> Create(std::unique_ptr<Provider> provider,
                                                                const VerbsOptions& options);

  const Rails& rails() const { return rails_; }

  const Capabilities& capabilities() const override;
  absl::StatusOr<ExportedMemory> ExportMemory(absl::Span<const LocalRegion> regions) override;
  void ForgetMemory(MemoryId id) override;
  absl::StatusOr<RemoteMemoryId> ImportMemory(PeerId peer, absl::string_view key) override;
  absl::StatusOr<OpenedChannel> Open(PeerId peer) override;
  absl::StatusOr<OpenedChannel> Accept(PeerId peer, absl::string_view data) override;
  absl::Status Complete(ChannelId channel, absl::string_view data) override {
    return channels_.Complete(channel, data);
  }
  void Close(ChannelId channel) override { channels_.Close(channel); }
  void Retire(ChannelId id) override;
  bool Superseded(ChannelId channel) const override { return channels_.Superseded(channel); }
  void ForgetPeer(PeerId peer) override;
  absl::Status OpenWindow(Window window) override;
  void Fence(PeerId peer, OfferId offer) override;
  void FenceDrained(PeerId peer, OfferId offer) override;
  Submitted Submit(ChannelId channel, Segment segment) override {
    return datapath_.Submit(channel, segment);
  }
  void Cancel(ChannelId id, OfferId offer) override;
  bool Poll(TimePoint now, Events* events) override;
  int wait_fd() const override { return wakeups_.fd(); }
  bool PrepareToSleep() override;
  Counters counters() const override { return loop_.counters; }

 private:
  VerbsTransport(std::unique_ptr<Provider> provider, const VerbsOptions& options);
  // What the devices say, and what channels end by it.
  bool TakeDeviceEvents();
  // What happens by the clock.
  bool Look();
  void CarryOutFences(TimePoint now);

  // In the order in which each is made from those before it.
  const std::unique_ptr<Provider> provider_;
  Loop loop_;
  Wakeups wakeups_;
  Rails rails_;
  Memories memories_;
  QueuePairs queue_pairs_;
  Fences fences_;
  Channels channels_;
  Datapath datapath_;
  bool armed_ = false;  // the completion queues wake us
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_TRANSPORT_H_
