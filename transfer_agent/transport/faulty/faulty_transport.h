// A transport that misbehaves by plan: a decorator for tests and simulations, driven by a seed.
// Events come late, channels drop, submits are put off. With all rates at 0 it is the inner
// transport: it passes the same conformance suite. What it never does is break the contract of
// transport.h: a caller that handles it handles every real path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_FAULTY_FAULTY_TRANSPORT_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_FAULTY_FAULTY_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// Probabilities, 0 to 1.
struct FaultPlan {
  uint64_t seed = 1;
  double late = 0;     // that a Poll keeps its events for a later one
  double drop = 0;     // that a Submit finds its channel dying: it is accepted, then goes down
  double put_off = 0;  // that a Submit is answered kFull though there is room
};

class FaultyTransport final : public Transport {
 public:
  FaultyTransport(std::unique_ptr<Transport> inner, const FaultPlan& plan);

  const Capabilities& capabilities() const override { return inner_->capabilities(); }
  absl::StatusOr<ExportedMemory> ExportMemory(absl::Span<const LocalRegion> regions) override;
  void PrepareMemory(absl::Span<const LocalRegion> regions) override {
    inner_->PrepareMemory(regions);
  }
  void ForgetMemory(MemoryId memory) override;
  absl::StatusOr<RemoteMemoryId> ImportMemory(PeerId peer, absl::string_view key) override;
  absl::Status CheckReach(MemoryId memory, absl::string_view key) override {
    return inner_->CheckReach(memory, key);
  }
  absl::StatusOr<OpenedChannel> Open(PeerId peer) override;
  absl::StatusOr<OpenedChannel> Accept(PeerId peer, absl::string_view data) override;
  absl::Status Complete(ChannelId channel, absl::string_view data) override;
  void Close(ChannelId channel) override;
  void ForgetPeer(PeerId peer) override;
  absl::Status OpenWindow(Window window) override;
  void Fence(PeerId peer, OfferId offer) override;
  Submitted Submit(ChannelId channel, Segment segment) override;
  void Cancel(ChannelId channel, OfferId offer) override;
  bool Poll(TimePoint now, Events* events) override;
  int wait_fd() const override { return inner_->wait_fd(); }
  bool PrepareToSleep() override;
  Counters counters() const override { return inner_->counters(); }

 private:
  // Puts what the inner transport reports into `late_`; the names of what it opened.
  class Collector;
  bool Happens(double probability);

  const std::unique_ptr<Transport> inner_;
  const FaultPlan plan_;
  std::mt19937_64 random_;
  EventQueue late_;
  std::vector<ChannelId> dying_;
  struct Opened {
    PeerId peer;
    OfferId offer;
  };
  std::vector<Opened> windows_;
  std::vector<std::pair<PeerId, ChannelId>> channels_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_FAULTY_FAULTY_TRANSPORT_H_
