// The hot path and the poll loop; stream_setup.cc has what happens once a channel.
#include "transfer_agent/transport/stream/stream_transport.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

#include "transfer_agent/transport/stream/stream_tags.h"

namespace baton::transport {

Channel* StreamTransport::Find(ChannelId channel) {
  auto it = channels_.find(channel);
  return it == channels_.end() ? nullptr : it->second.get();
}

void StreamTransport::MakeRunnable(Channel* channel) {
  if (channel->runnable || !channel->up()) return;
  channel->runnable = true;
  runnable_.push_back(channel->id);
}

absl::Status StreamTransport::OpenWindow(Window window) {
  return windows_.Open(std::move(window), memories_);
}

void StreamTransport::DropWindow(PeerId peer, OfferId offer) {
  OpenedWindow* window = windows_.Find(peer, offer);
  if (window == nullptr) return;
  for (auto& [id, channel] : channels_) {
    if (channel->peer == peer && channel->target) channel->target->DropWindow(window);
  }
  std::unique_ptr<OpenedWindow> closed = windows_.Take(peer, offer);
  events_.ForgetWindow(peer, offer);
  if (path_->Writes(closed.get())) {
    closing_.push_back(std::move(closed));
  } else {
    events_.Fenced(peer, offer);
  }
}

bool StreamTransport::Progress() {
  std::vector<ChannelId> ready;
  const bool worked = path_->Progress(&ready);
  for (ChannelId id : ready) {
    Channel* channel = Find(id);
    if (channel != nullptr) MakeRunnable(channel);
  }
  std::erase_if(closing_, [this](const auto& window) {
    if (path_->Writes(window.get())) return false;
    events_.Fenced(window->window.peer, window->window.offer);
    return true;
  });
  return worked;
}

void StreamTransport::Fence(PeerId peer, OfferId offer) { DropWindow(peer, offer); }

Submitted StreamTransport::Submit(ChannelId channel, Segment segment) {
  Channel* found = Find(channel);
  if (found == nullptr || !found->source) return Submitted::kNoChannel;
  const Submitted submitted = found->source->Submit(std::move(segment));
  if (submitted == Submitted::kAccepted) MakeRunnable(found);
  return submitted;
}

void StreamTransport::Cancel(ChannelId channel, OfferId offer) {
  Channel* found = Find(channel);
  if (found == nullptr || !found->source) return;
  found->source->Cancel(offer);
  MakeRunnable(found);
}

bool StreamTransport::Poll(TimePoint now, Events* events) {
  bool worked = Gather(now);
  worked |= Progress();
  worked |= Run();
  // What the channels have just brought begins now, not at the next call.
  if (!path_->CanSleep()) worked |= Progress();
  CheckDeadlines(now);
  ArmTimer(now);
  worked |= events_.Deliver(events);
  return worked;
}

bool StreamTransport::PrepareToSleep() {
  return runnable_.empty() && events_.empty() && fresh_.empty() && path_->CanSleep();
}

bool StreamTransport::Gather(TimePoint now) {
  epoll_event ready[64];
  const int n = epoll_wait(epoll_.get(), ready, 64, 0);
  for (int i = 0; i < n; ++i) OnSocket(ready[i].data.u64, ready[i].events, now);
  return n > 0;
}

void StreamTransport::OnSocket(uint64_t tag, uint32_t flags, TimePoint now) {
  if (tag == kListenerTag) return listener_->AcceptAll(now);
  if (tag == kTimerTag) {
    uint64_t ticks;
    // What it woke us for is looked up by the clock.
    if (read(timer_.get(), &ticks, sizeof(ticks)) > 0) armed_.reset();
    return;
  }
  if ((tag & Listener::kStrangerBit) != 0) {
    auto greeted = listener_->Hear(tag & ~Listener::kStrangerBit);
    if (greeted.has_value()) Attach(*std::move(greeted));
    return;
  }
  Channel* channel = Find(ChannelId(tag));
  if (channel == nullptr) return;
  channel->edges.readable |= (flags & EPOLLIN) != 0;
  channel->edges.writable |= (flags & EPOLLOUT) != 0;
  channel->edges.hangup |= (flags & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (channel->up()) {
    MakeRunnable(channel);
  } else {
    Shake(channel);
  }
}

bool StreamTransport::Run() {
  // Each runnable channel once: one with much to do does not keep the others waiting.
  const size_t count = runnable_.size();
  for (size_t i = 0; i < count; ++i) {
    const ChannelId id = runnable_.front();
    runnable_.pop_front();
    Channel* channel = Find(id);
    if (channel == nullptr) continue;
    channel->runnable = false;
    const Edges edges = std::exchange(channel->edges, {});
    absl::StatusOr<Pumped> pumped = channel->source
                                        ? channel->source->Pump(channel->fd.get(), edges)
                                        : channel->target->Pump(channel->fd.get(), edges);
    if (!pumped.ok()) {
      Fail(id, pumped.status());
    } else if (*pumped == Pumped::kMore) {
      MakeRunnable(channel);
    }
  }
  return count > 0;
}

}  // namespace baton::transport
