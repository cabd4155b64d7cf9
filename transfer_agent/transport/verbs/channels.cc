#include "transfer_agent/transport/verbs/channels.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

// A worker of a peer needs one channel here.
constexpr int kUnsettledPerPeerMax = 64;

size_t CountOf(const Channels::Table& channels, bool source) {
  return std::count_if(channels.begin(), channels.end(), [source](const auto& c) {
    return (c.second->source != nullptr) == source && !c.second->leaving();
  });
}

bool Idle(const Channel& channel, Channels::Awaited awaited) {
  if (!channel.up() || channel.runnable) return false;
  return channel.source != nullptr ? channel.drained() : !awaited(channel.peer);
}

Channel* LeastRecentlyUsed(const Channels::Table& channels, bool source,
                           Channels::Awaited awaited) {
  Channel* oldest = nullptr;
  for (const auto& [id, channel] : channels) {
    if ((channel->source != nullptr) != source || !Idle(*channel, awaited)) continue;
    if (oldest == nullptr || channel->used < oldest->used) oldest = channel.get();
  }
  return oldest;
}

}  // namespace

Channel* Channels::Find(ChannelId id) const {
  auto it = channels_.find(id);
  return it == channels_.end() ? nullptr : it->second.get();
}

absl::Status Channels::MakeRoom(absl::Span<Rail* const> rails, bool source, Awaited awaited,
                                Drain drain) {
  const size_t max = loop_->options.channels_max;
  while (CountOf(channels_, source) >= max || !setup_.Fits(rails, source)) {
    const size_t open = CountOf(channels_, source);
    Channel* oldest = LeastRecentlyUsed(channels_, source, awaited);
    // Sources close the old before they ask for the new, but the word of it may come later.
    if (oldest == nullptr && open >= (source ? max : 2 * max)) {
      return Error(Reason::kFull, absl::StrCat("verbs: ", open,
                                               " channels of this worker are open "
                                               "and in use"));
    }
    // What a completion queue lacks, Reserve says better.
    if (oldest == nullptr) return absl::OkStatus();
    const absl::Status cause =
        Error(Reason::kTransport, "verbs: closed for another, as it was not used");
    if (!source) {
      // Its source hears the goodbye.
      loop_->events.ForgetChannel(oldest->id);
      loop_->events.ChannelDown(oldest->id, cause);
      Leave(oldest, cause);
      if (!setup_.Fits(rails, source)) return absl::OkStatus();
      continue;
    }
    Fail(oldest, cause);
    // Its completions are given back when the queues were seen empty.
    drain();
  }
  return absl::OkStatus();
}

OpenedChannel Channels::Keep(std::unique_ptr<Channel> channel, std::string data) {
  const ChannelId id = channel->id;
  Use(channel.get());
  channels_.emplace(id, std::move(channel));
  loop_->clock.Ask();
  return {.id = id, .data = std::move(data)};
}

absl::StatusOr<OpenedChannel> Channels::Open(PeerId peer, Drain drain) {
  const TimePoint now = loop_->clock.now();
  auto rails = rails_->To(peer, now);
  if (!rails.ok()) return rails.status();
  std::vector<Rail*> each;
  for (Rail* rail : *rails) each.insert(each.end(), loop_->options.queue_pairs_per_rail, rail);
  if (each.size() > kQueuePairsPerChannelMax) each.resize(kQueuePairsPerChannelMax);
  const auto never = [](PeerId) { return false; };
  absl::Status room = MakeRoom(each, /*source=*/true, never, drain);
  if (!room.ok()) return room;
  auto channel = setup_.Offer(peer, each);
  if (!channel.ok()) return channel.status();
  std::string data = ChannelSetup::OpenData(**channel, rails_->ToAvoid(peer, now));
  return Keep(*std::move(channel), std::move(data));
}

absl::StatusOr<OpenedChannel> Channels::Accept(PeerId peer, absl::string_view data,
                                               Awaited awaited) {
  absl::StatusOr<Greeting> open = ParseOpen(data);
  if (!open.ok()) return open.status();
  const auto unsettled = std::count_if(channels_.begin(), channels_.end(), [peer](const auto& c) {
    return c.second->peer == peer && c.second->source == nullptr && !c.second->up() &&
           !c.second->leaving();
  });
  if (unsettled >= kUnsettledPerPeerMax) {
    return Error(Reason::kFull, absl::StrCat("verbs: this source's agent has asked for ", unsettled,
                                             " channels that it has not connected yet"));
  }
  auto each = rails_->For(*open, setup_.made(), loop_->clock.now());
  if (!each.ok()) return each.status();
  absl::Status room = MakeRoom(*each, /*source=*/false, awaited, [] {});
  if (!room.ok()) return room;
  auto channel = setup_.Answer(peer, *each, *open);
  if (!channel.ok()) return channel.status();
  std::string answer = ChannelSetup::AcceptData(**channel);
  return Keep(*std::move(channel), std::move(answer));
}

absl::Status Channels::Complete(ChannelId id, absl::string_view data) {
  Channel* channel = Find(id);
  if (channel == nullptr || channel->machine.state() != ChannelState::kOffered) {
    return absl::NotFoundError(absl::StrCat("channel ", id.value(), " waits for no answer"));
  }
  absl::StatusOr<Greeting> accept = ParseAccept(data);
  if (accept.ok() && accept->nonce != channel->nonce) {
    // An answer to another channel: replayed, or stolen. The channel ends by its event.
    Fail(channel, Error(Reason::kBadMessage, "verbs: the answer is to another channel"));
    return absl::OkStatus();
  }
  const absl::Status status =
      accept.ok() ? setup_.Connect(channel, *std::move(accept)) : accept.status();
  if (!status.ok()) {
    Fail(channel, status);
  } else if (channel->up()) {
    loop_->events.ChannelUp(id);
    run_queue_.Add(channel);
  }
  return status;
}

bool Channels::Superseded(ChannelId id) const {
  const Channel* channel = Find(id);
  if (channel == nullptr || channel->source == nullptr || !channel->up()) return false;
  if (channel->superseded) return true;
  std::set<const Rail*> used;
  for (const auto& qp : channel->queue_pairs) used.insert(&qp->rail());
  const auto rails = rails_->To(channel->peer, loop_->clock.now());
  return rails.ok() && used.size() < rails->size();
}

void Channels::Supersede(PeerId peer, const RemoteMemory& memory) {
  for (const auto& [id, channel] : channels_) {
    if (channel->peer != peer || channel->source == nullptr) continue;
    if (channel->machine.state() == ChannelState::kOffered || channel->KeysTo(memory) != nullptr) {
      continue;
    }
    // Of the other workers of that agent it says nothing.
    channel->superseded |= channel->keys.empty() ||
                           RemoteMemory::SameWorker(channel->keys.begin()->first, memory.windows());
  }
}

}  // namespace baton::transport::verbs
