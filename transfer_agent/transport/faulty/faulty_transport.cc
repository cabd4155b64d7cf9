#include "transfer_agent/transport/faulty/faulty_transport.h"

#include <algorithm>
#include <utility>

#include "common/reason.h"

namespace baton::transport {

class FaultyTransport::Collector final : public Events {
 public:
  explicit Collector(EventQueue* queue) : queue_(queue) {}
  void OnChannelUp(ChannelId channel) override { queue_->ChannelUp(channel); }
  void OnChannelDown(ChannelId channel, const absl::Status& cause) override {
    queue_->ChannelDown(channel, cause);
  }
  void OnSegmentDone(uint64_t cookie, const absl::Status& status) override {
    queue_->SegmentDone(cookie, status);
  }
  void OnPart(ChannelId channel, PeerId peer, OfferId offer, uint32_t part,
              uint64_t bytes) override {
    queue_->Part(channel, peer, offer, part, bytes);
  }
  void OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause) override {
    queue_->WindowBroken(peer, offer, cause);
  }
  void OnFenced(PeerId peer, OfferId offer) override { queue_->Fenced(peer, offer); }

 private:
  EventQueue* const queue_;
};

FaultyTransport::FaultyTransport(std::unique_ptr<Transport> inner, const FaultPlan& plan)
    : inner_(std::move(inner)), plan_(plan), random_(plan.seed) {}

bool FaultyTransport::Happens(double probability) {
  return probability > 0 && std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

absl::StatusOr<ExportedMemory> FaultyTransport::ExportMemory(
    absl::Span<const LocalRegion> regions) {
  return inner_->ExportMemory(regions);
}

void FaultyTransport::ForgetMemory(MemoryId memory) { inner_->ForgetMemory(memory); }

absl::StatusOr<RemoteMemoryId> FaultyTransport::ImportMemory(PeerId peer, absl::string_view key) {
  return inner_->ImportMemory(peer, key);
}

absl::StatusOr<OpenedChannel> FaultyTransport::Open(PeerId peer) {
  absl::StatusOr<OpenedChannel> opened = inner_->Open(peer);
  if (opened.ok()) channels_.emplace_back(peer, opened->id);
  return opened;
}

absl::StatusOr<OpenedChannel> FaultyTransport::Accept(PeerId peer, absl::string_view data) {
  absl::StatusOr<OpenedChannel> accepted = inner_->Accept(peer, data);
  if (accepted.ok()) channels_.emplace_back(peer, accepted->id);
  return accepted;
}

absl::Status FaultyTransport::Complete(ChannelId channel, absl::string_view data) {
  return inner_->Complete(channel, data);
}

void FaultyTransport::Close(ChannelId channel) {
  inner_->Close(channel);
  std::erase(dying_, channel);
  late_.ForgetChannel(channel);
}

void FaultyTransport::ForgetPeer(PeerId peer) {
  for (const auto& [of, channel] : channels_) {
    if (of != peer) continue;
    std::erase(dying_, channel);
    late_.ForgetChannel(channel);
  }
  std::erase_if(channels_, [peer](const auto& c) { return c.first == peer; });
  for (const Opened& window : windows_) {
    if (window.peer == peer) late_.ForgetWindow(window.peer, window.offer);
  }
  std::erase_if(windows_, [peer](const Opened& w) { return w.peer == peer; });
  inner_->ForgetPeer(peer);
}

absl::Status FaultyTransport::OpenWindow(Window window) {
  const Opened opened{window.peer, window.offer};
  absl::Status status = inner_->OpenWindow(std::move(window));
  if (status.ok()) windows_.push_back(opened);
  return status;
}

void FaultyTransport::Fence(PeerId peer, OfferId offer) {
  late_.ForgetWindow(peer, offer);
  std::erase_if(windows_, [&](const Opened& w) { return w.peer == peer && w.offer == offer; });
  inner_->Fence(peer, offer);
}

Submitted FaultyTransport::Submit(ChannelId channel, Segment segment) {
  if (std::find(dying_.begin(), dying_.end(), channel) != dying_.end()) {
    return Submitted::kNoChannel;
  }
  if (Happens(plan_.put_off)) return Submitted::kFull;
  const Submitted submitted = inner_->Submit(channel, std::move(segment));
  if (submitted == Submitted::kAccepted && Happens(plan_.drop)) dying_.push_back(channel);
  return submitted;
}

void FaultyTransport::Cancel(ChannelId channel, OfferId offer) { inner_->Cancel(channel, offer); }

bool FaultyTransport::Poll(TimePoint now, Events* events) {
  const std::vector<ChannelId> dying = std::exchange(dying_, {});
  for (ChannelId channel : dying) inner_->Close(channel);
  Collector collector(&late_);
  bool worked = inner_->Poll(now, &collector);
  // After the ends of its segments, as a channel's last event.
  for (ChannelId channel : dying) {
    late_.ChannelDown(channel, Error(Reason::kTransport, "dropped by plan"));
  }
  if (!late_.empty() && Happens(plan_.late)) return true;
  worked |= late_.Deliver(events);
  return worked;
}

bool FaultyTransport::PrepareToSleep() {
  return inner_->PrepareToSleep() && late_.empty() && dying_.empty();
}

}  // namespace baton::transport
