// What happens once a channel: opening, accepting, greeting, giving up.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/stream/stream_tags.h"
#include "transfer_agent/transport/stream/stream_transport.h"

namespace baton::transport {
namespace {

absl::Status AddToEpoll(int epoll_fd, int fd, uint32_t flags, uint64_t tag) {
  epoll_event event{};
  event.events = flags;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return SystemError("epoll_ctl", errno);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> StreamTransport::Create(std::unique_ptr<Path> path,
                                                                   const StreamOptions& options) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return SystemError("epoll_create1", errno);
  UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer) return SystemError("timerfd_create", errno);
  absl::StatusOr<UniqueFd> listening = path->Listen();
  if (!listening.ok()) return listening.status();
  absl::Status added = AddToEpoll(epoll.get(), timer.get(), EPOLLIN, kTimerTag);
  if (added.ok()) added = AddToEpoll(epoll.get(), listening->get(), EPOLLIN, kListenerTag);
  if (!added.ok()) return added;
  return std::unique_ptr<Transport>(new StreamTransport(std::move(path), options, std::move(epoll),
                                                        std::move(timer), *std::move(listening)));
}

StreamTransport::StreamTransport(std::unique_ptr<Path> path, const StreamOptions& options,
                                 UniqueFd epoll, UniqueFd timer, UniqueFd listening)
    : path_(std::move(path)),
      options_(options),
      epoll_(std::move(epoll)),
      timer_(std::move(timer)),
      last_channel_(kFirstChannel) {
  listener_.emplace(std::move(listening), epoll_.get(), options.handshake_timeout);
}

absl::StatusOr<ExportedMemory> StreamTransport::ExportMemory(
    absl::Span<const LocalRegion> regions) {
  absl::Status fit = path_->CheckMemory(regions);
  if (!fit.ok()) return fit;
  absl::StatusOr<MemoryId> id = memories_.Add(regions, capabilities().gpu_memory);
  if (!id.ok()) return id.status();
  if (absl::Status s = path_->Exported(*id, *memories_.Find(*id)); !s.ok()) {
    memories_.Remove(*id);
    return s;
  }
  return ExportedMemory{.id = *id, .key = path_->KeyOf(*memories_.Find(*id))};
}

void StreamTransport::ForgetMemory(MemoryId memory) {
  for (auto& [id, channel] : channels_) {
    if (!channel->source) continue;
    channel->source->ForgetMemory(memory);
    MakeRunnable(channel.get());
  }
  path_->Forgotten(memory);
  memories_.Remove(memory);
}

absl::StatusOr<RemoteMemoryId> StreamTransport::ImportMemory(PeerId, absl::string_view) {
  // No address of a peer's memory is ever used.
  return RemoteMemoryId(++last_import_);
}

Channel* StreamTransport::NewChannel(PeerId peer, ChannelState state) {
  const ChannelId id(++last_channel_);
  auto channel = std::make_unique<Channel>(id, peer, state);
  Channel* raw = channel.get();
  channels_.emplace(id, std::move(channel));
  fresh_.push_back(id);
  return raw;
}

void StreamTransport::Settle(Channel* channel) {
  if (channel->deadline.has_value()) deadlines_.erase({*channel->deadline, channel->id});
  channel->deadline.reset();
  if (channel->accepted) peers_[channel->peer].unsettled -= 1;
}

LinkContext StreamTransport::ContextOf(const Channel& channel, bool checksums) {
  return {.channel = channel.id,
          .peer = channel.peer,
          .checksums = checksums,
          .memories = &memories_,
          .windows = &windows_,
          .events = &events_,
          .counters = &counters_};
}

absl::StatusOr<OpenedChannel> StreamTransport::Open(PeerId peer) {
  v1::StreamOpen open;
  open.set_frame_version(kFrameVersion);
  open.set_checksums(options_.checksums);
  path_->FillOpen(&open);
  Channel* channel = NewChannel(peer, ChannelState::kOffered);
  channel->source = path_->NewSource(ContextOf(*channel, options_.checksums));
  return OpenedChannel{.id = channel->id, .data = open.SerializeAsString()};
}

absl::StatusOr<OpenedChannel> StreamTransport::Accept(PeerId peer, absl::string_view data) {
  v1::StreamOpen open;
  if (!open.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return Error(Reason::kBadMessage, "channel open: not a StreamOpen message");
  }
  if (open.frame_version() != kFrameVersion) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("the source sends frames of version ", open.frame_version(),
                              ", this agent reads version ", kFrameVersion));
  }
  absl::Status fit = path_->CheckOpen(open);
  if (!fit.ok()) return fit;
  PeerChannels& of = peers_[peer];
  if (of.unsettled >= kUnsettledPerPeerMax || of.accepted >= kAcceptedPerPeerMax) {
    return Error(Reason::kFull,
                 absl::StrCat("this source's agent has ", of.accepted, " channels here, ",
                              of.unsettled, " of them not connected yet; at most ",
                              kAcceptedPerPeerMax, " and ", kUnsettledPerPeerMax, " are kept"));
  }
  Channel* channel = NewChannel(peer, ChannelState::kExpected);
  channel->accepted = true;
  ++of.accepted;
  ++of.unsettled;
  absl::StatusOr<Token> token = listener_->Expect(channel->id);
  if (!token.ok()) {
    Close(channel->id);
    return token.status();
  }
  channel->checksums = open.checksums() || options_.checksums;
  v1::StreamAccept accept;
  accept.set_frame_version(kFrameVersion);
  accept.set_checksums(channel->checksums);
  accept.set_token(token->data(), token->size());
  path_->FillAccept(&accept);
  return OpenedChannel{.id = channel->id, .data = accept.SerializeAsString()};
}

absl::Status StreamTransport::Complete(ChannelId channel, absl::string_view data) {
  Channel* found = Find(channel);
  if (found == nullptr || found->machine.state() != ChannelState::kOffered) {
    return absl::NotFoundError(
        absl::StrCat("channel ", channel.value(), " does not wait for an answer"));
  }
  absl::Status status = Connect(found, data);
  if (!status.ok()) Fail(channel, status);
  return status;
}

absl::Status StreamTransport::Connect(Channel* channel, absl::string_view data) {
  v1::StreamAccept accept;
  if (!accept.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return Error(Reason::kBadMessage, "channel accept: not a StreamAccept message");
  }
  if (accept.frame_version() != kFrameVersion || accept.token().size() != kTokenBytes) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("channel accept: version ", accept.frame_version(), ", token of ",
                              accept.token().size(), " bytes"));
  }
  std::memcpy(channel->token.data(), accept.token().data(), kTokenBytes);
  absl::StatusOr<UniqueFd> fd = path_->Connect(accept);
  if (!fd.ok()) return fd.status();
  channel->fd = *std::move(fd);
  channel->source->SetChecksums(accept.checksums());
  channel->machine.Advance(ChannelEvent::kAnswered);
  return Watch(channel);
}

absl::Status StreamTransport::Watch(Channel* channel) {
  return AddToEpoll(epoll_.get(), channel->fd.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    channel->id.value());
}

void StreamTransport::Attach(Listener::Greeted greeted) {
  Channel* channel = Find(greeted.channel);
  if (channel == nullptr) return;
  channel->fd = std::move(greeted.fd);
  absl::Status status = path_->Adopt(channel->fd.get());
  if (status.ok()) status = Welcome(channel->fd.get());
  if (status.ok()) status = Watch(channel);
  if (!status.ok()) return Fail(channel->id, status);
  channel->target = path_->NewTarget(ContextOf(*channel, channel->checksums));
  channel->machine.Advance(ChannelEvent::kGreeted);
  Settle(channel);
  events_.ChannelUp(channel->id);
}

void StreamTransport::Shake(Channel* channel) {
  absl::StatusOr<bool> up = AdvanceHandshake(channel);
  if (!up.ok()) return Fail(channel->id, up.status());
  if (!*up) return;
  Settle(channel);
  events_.ChannelUp(channel->id);
  channel->edges = {.readable = true, .writable = true, .hangup = channel->edges.hangup};
  MakeRunnable(channel);
}

void StreamTransport::CheckDeadlines(TimePoint now) {
  listener_->Expire(now);
  for (ChannelId id : std::exchange(fresh_, {})) {
    Channel* channel = Find(id);
    if (channel == nullptr || channel->up()) continue;
    channel->deadline = now + options_.handshake_timeout;
    deadlines_.emplace(*channel->deadline, id);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const ChannelId id = deadlines_.begin()->second;
    Fail(id, Error(Reason::kDeadline,
                   absl::StrCat("channel not up in time: ", Name(Find(id)->machine.state()))));
  }
}

void StreamTransport::ArmTimer(TimePoint now) {
  std::optional<TimePoint> next = listener_->NextExpiry();
  if (!deadlines_.empty()) {
    const TimePoint first = deadlines_.begin()->first;
    next = next.has_value() ? std::min(*next, first) : first;
  }
  // An alarm that comes too early costs one Poll.
  if (!next.has_value() || (armed_.has_value() && *armed_ <= *next)) return;
  const auto wait = std::max<int64_t>(
      1, std::chrono::duration_cast<std::chrono::nanoseconds>(*next - now).count());
  itimerspec spec{};
  spec.it_value.tv_sec = wait / 1'000'000'000;
  spec.it_value.tv_nsec = wait % 1'000'000'000;
  if (timerfd_settime(timer_.get(), 0, &spec, nullptr) == 0) armed_ = next;
}

void StreamTransport::Fail(ChannelId channel, const absl::Status& cause) {
  Remove(channel, cause);
  events_.ChannelDown(channel, cause);
}

void StreamTransport::Remove(ChannelId channel, const absl::Status& cause) {
  auto it = channels_.find(channel);
  if (it == channels_.end()) return;
  std::unique_ptr<Channel> gone = std::move(it->second);
  channels_.erase(it);
  listener_->Forget(channel);
  if (!gone->up()) Settle(gone.get());
  if (gone->accepted) {
    auto of = peers_.find(gone->peer);
    if (--of->second.accepted == 0) peers_.erase(of);
  }
  if (gone->source) gone->source->Abandon(cause);
}

void StreamTransport::Close(ChannelId channel) {
  Remove(channel, absl::CancelledError("the channel was closed"));
  events_.ForgetChannel(channel);
}

void StreamTransport::ForgetPeer(PeerId peer) {
  std::vector<ChannelId> channels;
  for (const auto& [id, channel] : channels_) {
    if (channel->peer == peer) channels.push_back(id);
  }
  for (ChannelId channel : channels) Close(channel);
  for (OfferId offer : windows_.OffersOf(peer)) DropWindow(peer, offer);
}

}  // namespace baton::transport
