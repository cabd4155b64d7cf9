#include "transfer_agent/transport/verbs/verbs_transport.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

void RefreshGauges(const Rails& rails, const Channels& channels, const QueuePairs& queue_pairs) {
  // Nothing is allocated here: it runs while rooms are under way.
  std::array<uint64_t, kRailsMax> in_flight{};
  std::array<uint64_t, kRailsMax> in_use{};
  for (const auto& [id, channel] : channels.all()) {
    for (const auto& qp : channel->queue_pairs) {
      ++in_use[qp->rail().index()];
      in_flight[qp->rail().index()] += qp->sends().added() - qp->sends().completed();
    }
  }
  for (const auto& rail : rails.all()) {
    PortMetrics& metrics = *rail->metrics();
    metrics.active.Set(rail->health.works() ? 1 : 0);
    metrics.queue_pairs.Set(in_use[rail->index()]);
    metrics.in_flight.Set(in_flight[rail->index()]);
    metrics.in_reset.Set(queue_pairs.InReset(*rail));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<VerbsTransport>> VerbsTransport::Create(
    std::unique_ptr<Provider> provider, const VerbsOptions& options) {
  std::unique_ptr<VerbsTransport> transport(new VerbsTransport(std::move(provider), options));
  Wakeups& wakeups = transport->wakeups_;
  absl::Status status = transport->rails_.Open();
  if (status.ok()) status = wakeups.Open();
  for (const auto& rail : transport->rails_.all()) {
    if (status.ok()) status = wakeups.Watch(rail->context()->async_fd);
    if (status.ok()) status = wakeups.Watch(rail->wakeups()->fd);
  }
  if (!status.ok()) return status;
  return transport;
}

VerbsTransport::VerbsTransport(std::unique_ptr<Provider> provider, const VerbsOptions& options)
    : provider_(std::move(provider)),
      loop_(options),
      rails_(provider_.get(), loop_.options),
      memories_(options.memory_windows),
      queue_pairs_(loop_.options),
      fences_(options.fence_timeout, options.leave_timeout),
      channels_(&loop_, &rails_, &memories_, &queue_pairs_),
      datapath_(&loop_, &rails_, &memories_, &queue_pairs_, &channels_) {}

const Capabilities& VerbsTransport::capabilities() const {
  static const Capabilities kCapabilities{.name = "verbs",
                                          .local_fence = false,
                                          .gpu_memory = true,
                                          .checksums = false,
                                          .retires = true};
  return kCapabilities;
}

absl::StatusOr<ExportedMemory> VerbsTransport::ExportMemory(absl::Span<const LocalRegion> regions) {
  absl::StatusOr<MemoryId> id = memories_.Export(regions, rails_.all());
  if (!id.ok()) return id.status();
  const LocalMemory* memory = memories_.Find(*id);
  absl::Status status;
  if (memory->needs_flush()) status = datapath_.flusher().Prepare(rails_.all());
  if (status.ok()) return ExportedMemory{.id = *id, .key = memory->Key()};
  memories_.Forget(*id);
  return status;
}

void VerbsTransport::ForgetMemory(MemoryId id) {
  const LocalMemory* memory = memories_.Find(id);
  if (memory == nullptr) return;
  channels_.ForgetMemory(memory);
  datapath_.flusher().ForgetMemory(memory);
  memories_.Forget(id);
}

absl::StatusOr<RemoteMemoryId> VerbsTransport::ImportMemory(PeerId peer, absl::string_view key) {
  absl::StatusOr<RemoteMemoryId> id = memories_.Import(peer, key);
  if (!id.ok()) return id;
  const RemoteMemory& memory = *memories_.Remote(peer, *id);
  if (memory.windows() != 0) channels_.Supersede(peer, memory);
  return id;
}

absl::StatusOr<OpenedChannel> VerbsTransport::Open(PeerId peer) {
  return channels_.Open(peer, [this] { datapath_.Drain(); });
}

absl::StatusOr<OpenedChannel> VerbsTransport::Accept(PeerId peer, absl::string_view data) {
  if (fences_.Owes(peer)) {
    return Error(Reason::kSettling,
                 "verbs: the source has not answered a fence yet, it gets no channel before");
  }
  return channels_.Accept(peer, data, [this](PeerId other) {
    return datapath_.target().Awaits(other) || fences_.Pending(other);
  });
}

void VerbsTransport::Retire(ChannelId id) {
  // What has arrived counts: it is not sent again.
  datapath_.Drain();
  Channel* channel = channels_.Find(id);
  if (channel != nullptr && channel->source == nullptr) {
    loop_.events.ForgetChannel(id);
    channels_.End(channel, absl::CancelledError("the source's end has failed"));
  }
  fences_.Retire(id, datapath_.flusher().last());
  loop_.clock.Ask();
}

void VerbsTransport::ForgetPeer(PeerId peer) {
  channels_.ForgetPeer(peer);
  for (OfferId offer : datapath_.target().OffersOf(peer)) Fence(peer, offer);
  // With its channels in reset nothing of this peer can land: its fences end when the clock is next
  // looked at, and only if every queue pair could be reset.
  fences_.GiveUp(peer);
  loop_.clock.Ask();
  memories_.ForgetPeer(peer);
  rails_.ForgetPeer(peer);
}

absl::Status VerbsTransport::OpenWindow(Window window) {
  const LocalMemory* memory = memories_.Find(window.memory);
  if (memory != nullptr) return datapath_.target().Open(window, memory);
  return absl::NotFoundError(
      absl::StrCat("window on memory ", window.memory.value(), ", which is not exported"));
}

void VerbsTransport::Fence(PeerId peer, OfferId offer) {
  const LocalMemory* memory = datapath_.target().MemoryOf(peer, offer);
  if (!datapath_.target().Close(peer, offer)) return;
  loop_.events.ForgetWindow(peer, offer);
  datapath_.flusher().ForgetWindow(peer, offer);
  fences_.Ask({.peer = peer, .offer = offer, .memory = memory});
  loop_.clock.Ask();
}

void VerbsTransport::FenceDrained(PeerId peer, OfferId offer) {
  const uint64_t bytes = datapath_.target().RoomBytes(peer, offer);
  if (datapath_.target().Close(peer, offer)) {
    // Every part was in: that is when a caller may say so without having asked.
    loop_.counters.bytes_landed += bytes;
    loop_.events.ForgetWindow(peer, offer);
    loop_.events.Fenced(peer, offer);
  } else if (const auto ended = fences_.Answer(peer, offer)) {
    datapath_.TellFenced(*ended);
  }
}

void VerbsTransport::Cancel(ChannelId id, OfferId offer) {
  Channel* channel = channels_.Find(id);
  if (channel != nullptr && channel->source != nullptr) channel->source->Cancel(offer);
}

bool VerbsTransport::Poll(TimePoint now, Events* events) {
  loop_.clock.Begin(now);
  bool worked = datapath_.Poll();
  if (armed_) {
    armed_ = false;
    rails_.TakeWakeups();
    worked |= TakeDeviceEvents();
    if (wakeups_.TakeTimer()) loop_.clock.Ring();
  }
  worked |= Look();
  worked |= datapath_.Post();
  return loop_.events.Deliver(events) || worked;
}

bool VerbsTransport::TakeDeviceEvents() {
  Losses losses;
  if (!rails_.TakeEvents(&losses)) return false;
  for (const Loss& loss : losses) channels_.Lose(loss);
  loop_.clock.Ask();
  return true;
}

bool VerbsTransport::Look() {
  const LoopClock::Due due = loop_.clock.Take();
  if (due == LoopClock::Due::kNot) return false;
  const TimePoint now = loop_.clock.now();
  const bool worked = TakeDeviceEvents();
  Losses losses;
  rails_.CheckPorts(now, &losses);
  for (const Loss& loss : losses) channels_.Lose(loss);
  channels_.Look(now);
  CarryOutFences(now);
  queue_pairs_.Sweep(now);
  if (queue_pairs_.AllDown()) {
    // A part that is complete and not seen yet counts as arrived: it is told of before this is.
    for (ChannelId channel : fences_.TakeRetired(datapath_.flusher().told())) {
      loop_.events.ChannelRetired(channel);
    }
  }
  RefreshGauges(rails_, channels_, queue_pairs_);
  return worked || due == LoopClock::Due::kAsked;
}

void VerbsTransport::CarryOutFences(TimePoint now) {
  std::vector<PeerId> due;
  for (PeerId peer : fences_.Late(now)) {
    if (fences_.Revoked(peer, channels_.Revoke(peer), now)) due.push_back(peer);
  }
  // Parts that are in already count: their completions are taken before anything is reset.
  if (!due.empty()) datapath_.Poll();
  for (PeerId peer : due) {
    channels_.FailTargets(peer, Error(Reason::kTransport,
                                      "verbs: the source did not answer a fence in time; its "
                                      "channel was destroyed"));
    // A queue pair that the device does not reset may still be written through.
    if (!queue_pairs_.AllDown()) continue;
    for (const Fences::Fence& fence : fences_.Reset(peer)) datapath_.TellFenced(fence);
  }
}

bool VerbsTransport::PrepareToSleep() {
  const auto busy = [this] {
    return !loop_.events.empty() || !channels_.run_queue().empty() || loop_.clock.asked();
  };
  if (busy() || !rails_.Arm()) return false;
  armed_ = true;
  // What came before the queues were armed rings no bell.
  if (datapath_.Poll() || busy()) return false;
  RefreshGauges(rails_, channels_, queue_pairs_);
  const TimePoint now = loop_.clock.now();
  std::optional<TimePoint> next;
  for (const auto& each :
       {queue_pairs_.NextDue(), fences_.NextDue(), rails_.NextDue(now), channels_.NextDue(now)}) {
    if (each.has_value() && (!next.has_value() || *each < *next)) next = each;
  }
  wakeups_.SetTimer(next);
  return true;
}

}  // namespace baton::transport::verbs
