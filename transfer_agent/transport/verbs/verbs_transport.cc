#include "transfer_agent/transport/verbs/verbs_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {

absl::StatusOr<std::unique_ptr<VerbsTransport>> VerbsTransport::Create(
    std::unique_ptr<Provider> provider, const VerbsOptions& options) {
  absl::StatusOr<Selection> selection = SelectRails(provider->List(), options.wishes);
  if (!selection.ok()) return selection.status();
  std::unique_ptr<VerbsTransport> transport(
      new VerbsTransport(std::move(provider), options, *std::move(selection)));
  if (absl::Status status = transport->Build(); !status.ok()) return status;
  return transport;
}

VerbsTransport::VerbsTransport(std::unique_ptr<Provider> provider, const VerbsOptions& options,
                               Selection selection)
    : provider_(std::move(provider)),
      options_(options),
      selection_(std::move(selection)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      graveyard_(options.retry_horizon()),
      target_(&counters_),
      flusher_(
          options_, &graveyard_, [this](size_t rail) { return TakeLoopPlace(rail); },
          [this](uint16_t place) { places_.Free(place); },
          [this](const Flusher::Waiting& w, const absl::Status& s) { OnFlushed(w, s); }) {}

VerbsTransport::~VerbsTransport() {
  std::vector<Channel*> left;
  for (auto& [id, channel] : channels_) left.push_back(channel.get());
  for (Channel* channel : left) Remove(channel, absl::CancelledError("the transport is ending"));
}

absl::Status VerbsTransport::Watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return SystemError("epoll_ctl", errno);
}

absl::Status VerbsTransport::Build() {
  CHECK_LE(selection_.rails.size(), kRailsMax);
  PCHECK(getrandom(&worker_, sizeof(worker_), 0) == sizeof(worker_));
  worker_ |= 1;  // so that no memory is called 0
  if (!epoll_ || !timer_) return SystemError("epoll_create1, timerfd_create", errno);
  absl::Status status = Watch(timer_.get());
  for (const ChosenRail& chosen : selection_.rails) {
    if (!status.ok()) return status;
    absl::StatusOr<std::unique_ptr<Rail>> rail = Rail::Open(provider_.get(), chosen, options_);
    if (!rail.ok()) return rail.status();
    status = Watch((*rail)->context()->async_fd);
    if (status.ok()) status = Watch((*rail)->wakeups()->fd);
    rails_.push_back(*std::move(rail));
  }
  return status;
}

const Capabilities& VerbsTransport::capabilities() const {
  static const Capabilities kCapabilities{.name = "verbs",
                                          .local_fence = false,
                                          .gpu_memory = true,
                                          .checksums = false,
                                          .retires = true};
  return kCapabilities;
}

std::vector<std::shared_ptr<const PortMetrics>> VerbsTransport::port_metrics() const {
  std::vector<std::shared_ptr<const PortMetrics>> ports;
  for (const auto& rail : rails_) ports.push_back(rail->metrics());
  return ports;
}

absl::StatusOr<ExportedMemory> VerbsTransport::ExportMemory(absl::Span<const LocalRegion> regions) {
  const uint64_t windows =
      options_.memory_windows ? (worker_ << 16) | (uint64_t{last_memory_} & 0xffff) : 0;
  absl::StatusOr<std::unique_ptr<LocalMemory>> memory =
      LocalMemory::Register(regions, rails_, windows);
  if (!memory.ok()) return memory.status();
  if ((*memory)->needs_flush()) {
    if (absl::Status status = flusher_.Prepare(rails_); !status.ok()) return status;
  }
  const MemoryId id(++last_memory_);
  std::string key = (*memory)->Key();
  memories_.emplace(id, *std::move(memory));
  return ExportedMemory{.id = id, .key = std::move(key)};
}

void VerbsTransport::ForgetMemory(MemoryId memory) {
  auto it = memories_.find(memory);
  if (it == memories_.end()) return;
  for (auto& [id, channel] : channels_) {
    if (channel->windows != nullptr) channel->windows->Forget(it->second.get());
    if (channel->source == nullptr) continue;
    channel->source->ForgetMemory(it->second.get());
    MakeRunnable(channel.get());
  }
  flusher_.ForgetMemory(it->second.get());
  memories_.erase(it);
}

absl::StatusOr<RemoteMemoryId> VerbsTransport::ImportMemory(PeerId peer, absl::string_view key) {
  absl::StatusOr<RemoteMemory> memory = ParseMemory(key);
  if (!memory.ok()) return memory.status();
  const RemoteMemoryId id(++last_import_);
  if (memory->windows() != 0) Supersede(peer, *memory);
  imports_[id] = {peer, std::make_unique<RemoteMemory>(*std::move(memory))};
  return id;
}

absl::Status VerbsTransport::OpenWindow(Window window) {
  auto memory = memories_.find(window.memory);
  if (memory == memories_.end()) {
    return absl::NotFoundError(
        absl::StrCat("window on memory ", window.memory.value(), ", which is not exported"));
  }
  return target_.Open(window, memory->second.get());
}

void VerbsTransport::Fence(PeerId peer, OfferId offer) {
  const LocalMemory* memory = target_.MemoryOf(peer, offer);
  if (!target_.Close(peer, offer)) return;
  events_.ForgetWindow(peer, offer);
  flusher_.ForgetWindow(peer, offer);
  fences_.push_back({.peer = peer, .offer = offer, .memory = memory});
  look_at_clock_ = true;
}

void VerbsTransport::FenceDrained(PeerId peer, OfferId offer) {
  const uint64_t bytes = target_.RoomBytes(peer, offer);
  if (target_.Close(peer, offer)) {
    // Every part was in: that is when a caller may say so without having asked.
    counters_.bytes_landed += bytes;
    events_.ForgetWindow(peer, offer);
    events_.Fenced(peer, offer);
    return;
  }
  EndFence(peer, offer);
  auto late = unanswered_.find(peer);
  if (late == unanswered_.end()) return;
  late->second.erase(offer);
  if (late->second.empty()) unanswered_.erase(late);
}

Submitted VerbsTransport::Submit(ChannelId id, Segment segment) {
  Channel* channel = Find(id);
  if (channel == nullptr || channel->source == nullptr || channel->leaving()) {
    return Submitted::kNoChannel;
  }
  auto local = memories_.find(segment.memory);
  auto remote = imports_.find(segment.remote);
  const RemoteMemory* target = nullptr;
  if (remote != imports_.end() && remote->second.first == channel->peer) {
    target = remote->second.second.get();
    // Before the answer there are none, and Complete looks for them.
    if (channel->machine.state() != ChannelState::kOffered) target = KeysOf(*channel, *target);
    if (target == nullptr) {
      // Its room goes on over another channel, which has them.
      Fail(channel, NoKeys());
      return Submitted::kNoChannel;
    }
  }
  MakeRunnable(channel);
  channel->used = ++uses_;
  return channel->source->Submit(segment, local == memories_.end() ? nullptr : local->second.get(),
                                 target);
}

void VerbsTransport::Cancel(ChannelId id, OfferId offer) {
  Channel* channel = Find(id);
  if (channel != nullptr && channel->source != nullptr) channel->source->Cancel(offer);
}

bool VerbsTransport::Poll(TimePoint now, Events* events) {
  now_ = now;
  bool worked = PollRails();
  if (armed_) {
    armed_ = false;
    for (const auto& rail : rails_) {
      while (provider_->TakeCqEvent(rail->wakeups())) {
      }
    }
    worked |= TakeAsyncEvents();
    uint64_t expirations = 0;
    if (read(timer_.get(), &expirations, sizeof(expirations)) > 0) next_check_ = now;
  }
  worked |= CheckClock(now);
  worked |= Post();
  return events_.Deliver(events) || worked;
}

bool VerbsTransport::PrepareToSleep() {
  if (!events_.empty() || !runnable_.empty() || look_at_clock_) return false;
  for (const auto& rail : rails_) {
    if (ibv_req_notify_cq(rail->cq(), 0) != 0) return false;
  }
  armed_ = true;
  // What came before the queues were armed rings no bell.
  if (PollRails() || !events_.empty() || !runnable_.empty()) return false;
  ArmTimer();
  return true;
}

}  // namespace baton::transport::verbs
