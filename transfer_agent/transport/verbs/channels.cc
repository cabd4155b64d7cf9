// Opening and accepting channels.
#include <sys/random.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

// A worker of a peer needs one channel here.
constexpr int kUnsettledPerPeerMax = 64;

}  // namespace

Channel* VerbsTransport::Find(ChannelId channel) const {
  auto it = channels_.find(channel);
  return it == channels_.end() ? nullptr : it->second.get();
}

std::vector<Rail*> VerbsTransport::UsableRails() const {
  std::vector<Rail*> usable;
  for (const auto& rail : rails_) {
    if (rail->usable(now_)) usable.push_back(rail.get());
  }
  // A paused rail is better than none.
  for (const auto& rail : rails_) {
    if (usable.empty() && rail->works()) usable.push_back(rail.get());
  }
  return usable;
}

size_t VerbsTransport::IndexOf(const Rail* rail) const {
  size_t index = 0;
  while (rails_[index].get() != rail) ++index;
  return index;
}

std::vector<Rail*> VerbsTransport::RailsTo(PeerId peer) const {
  const std::vector<Rail*> usable = UsableRails();
  std::vector<Rail*> open;
  for (Rail* rail : usable) {
    if (!pauses_.OwnPaused(peer, IndexOf(rail), now_)) open.push_back(rail);
  }
  return open.empty() ? usable : open;
}

std::vector<Rail*> VerbsTransport::RailsFor(const Greeting& open) const {
  const std::vector<Rail*> usable = UsableRails();
  std::vector<Rail*> better;
  for (Rail* rail : usable) {
    const auto& avoid = open.avoid_rails;
    if (std::find(avoid.begin(), avoid.end(), IndexOf(rail)) == avoid.end()) better.push_back(rail);
  }
  const std::vector<Rail*>& from = better.empty() ? usable : better;
  bool one = true;
  for (const Endpoint& e : open.endpoints) one = one && e.rail == open.endpoints[0].rail;
  std::vector<Rail*> each;
  for (size_t i = 0; i < open.endpoints.size() && !from.empty(); ++i) {
    // Rails of one number are often on one network. A source with a single rail uses ours in turn.
    Rail* rail = from[(i + (one ? last_channel_ : 0)) % from.size()];
    for (Rail* same : from) {
      if (!one && IndexOf(same) == open.endpoints[i].rail) rail = same;
    }
    each.push_back(rail);
  }
  return each;
}

absl::StatusOr<std::unique_ptr<Channel>> VerbsTransport::NewChannel(PeerId peer, ChannelState state,
                                                                    absl::Span<Rail* const> rails) {
  auto channel = std::make_unique<Channel>(ChannelId(++last_channel_), peer, state);
  const bool source = state == ChannelState::kOffered;
  if (source) {
    channel->source = std::make_unique<SourceDatapath>(options_, &events_, &counters_);
  }
  for (Rail* rail : rails) {
    absl::StatusOr<uint16_t> place = places_.Take();
    if (!place.ok()) {
      Release(channel.get());
      return place.status();
    }
    absl::StatusOr<std::unique_ptr<QueuePair>> qp =
        MakeQueuePair(rail, SizesFor(*rail, source), source ? QueueUse::kSource : QueueUse::kTarget,
                      *place, places_[*place].generation);
    if (!qp.ok()) {
      places_.GiveBack(*place);
      Release(channel.get());
      return qp.status();
    }
    places_[*place].channel = channel.get();
    places_[*place].index = static_cast<uint32_t>(channel->queue_pairs.size());
    (*qp)->rail_index = IndexOf(rail);
    channel->queue_pairs.push_back(*std::move(qp));
    if (source) channel->source->AddQueuePair(channel->queue_pairs.back().get());
  }
  return channel;
}

OpenedChannel VerbsTransport::Keep(std::unique_ptr<Channel> channel, std::string data) {
  const ChannelId id = channel->id;
  channel->used = ++uses_;
  channels_.emplace(id, std::move(channel));
  look_at_clock_ = true;
  return {.id = id, .data = std::move(data)};
}

absl::StatusOr<OpenedChannel> VerbsTransport::Open(PeerId peer) {
  std::vector<Rail*> each;
  for (Rail* rail : RailsTo(peer)) each.insert(each.end(), options_.queue_pairs_per_rail, rail);
  if (each.size() > kQueuePairsPerChannelMax) each.resize(kQueuePairsPerChannelMax);
  if (each.empty()) {
    return Error(Reason::kTransport, absl::StrCat("verbs: no rail is up: ", selection_.Summary()));
  }
  if (absl::Status room = MakeRoom(each, /*source=*/true); !room.ok()) return room;
  auto channel = NewChannel(peer, ChannelState::kOffered, each);
  if (!channel.ok()) return channel.status();
  Greeting open;
  PCHECK(getrandom(&open.nonce, sizeof(open.nonce), 0) == sizeof(open.nonce));
  (*channel)->nonce = open.nonce;
  open.avoid_rails = pauses_.RemotePaused(peer, now_);
  for (const auto& qp : (*channel)->queue_pairs) open.endpoints.push_back(EndpointOf(*qp));
  return Keep(*std::move(channel), EncodeOpen(open));
}

absl::StatusOr<OpenedChannel> VerbsTransport::Accept(PeerId peer, absl::string_view data) {
  absl::StatusOr<Greeting> open = ParseOpen(data);
  if (!open.ok()) return open.status();
  if (unanswered_.contains(peer)) {
    return Error(Reason::kSettling,
                 "verbs: the source has not answered a fence yet, it gets no channel before");
  }
  const auto unsettled = std::count_if(channels_.begin(), channels_.end(), [peer](const auto& c) {
    return c.second->peer == peer && c.second->source == nullptr && !c.second->up() &&
           !c.second->leaving();
  });
  if (unsettled >= kUnsettledPerPeerMax) {
    return Error(Reason::kFull, absl::StrCat("verbs: this source's agent has asked for ", unsettled,
                                             " channels that it has not connected yet"));
  }
  absl::StatusOr<std::unique_ptr<Channel>> channel = Answer(peer, *open);
  if (!channel.ok()) return channel.status();
  Greeting accept{.nonce = open->nonce, .endpoints = {}};
  for (const auto& qp : (*channel)->queue_pairs) accept.endpoints.push_back(EndpointOf(*qp));
  if ((*channel)->windows != nullptr) accept.windows = (*channel)->windows->Keys();
  return Keep(*std::move(channel), EncodeAccept(accept));
}

absl::StatusOr<std::unique_ptr<Channel>> VerbsTransport::Answer(PeerId peer, const Greeting& open) {
  const std::vector<Rail*> each = RailsFor(open);
  if (each.empty()) {
    return Error(Reason::kTransport, absl::StrCat("verbs: no rail is up: ", selection_.Summary()));
  }
  if (absl::Status room = MakeRoom(each, /*source=*/false); !room.ok()) return room;
  auto channel = NewChannel(peer, ChannelState::kExpected, each);
  if (!channel.ok()) return channel.status();
  absl::Status status;
  for (size_t i = 0; i < open.endpoints.size() && status.ok(); ++i) {
    status = Connect(options_, open.endpoints[i], (*channel)->queue_pairs[i].get());
  }
  if (status.ok()) status = BindWindows(channel->get());
  if (status.ok()) return channel;
  Release(channel->get());
  return status;
}

absl::Status VerbsTransport::Complete(ChannelId id, absl::string_view data) {
  Channel* channel = Find(id);
  if (channel == nullptr || channel->machine.state() != ChannelState::kOffered) {
    return absl::NotFoundError(absl::StrCat("channel ", id.value(), " waits for no answer"));
  }
  absl::StatusOr<Greeting> accept = ParseAccept(data);
  absl::Status status = accept.status();
  if (status.ok() && accept->nonce != channel->nonce) {
    // An answer to another channel: replayed, or stolen. The channel ends by its event.
    Fail(channel, Error(Reason::kBadMessage, "verbs: the answer is to another channel"));
    return absl::OkStatus();
  }
  if (status.ok()) status = ConnectSource(channel, *std::move(accept));
  if (!status.ok()) Fail(channel, status);
  return status;
}

absl::Status VerbsTransport::ConnectSource(Channel* channel, Greeting accept) {
  if (accept.endpoints.size() != channel->queue_pairs.size()) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("verbs: ", accept.endpoints.size(), " endpoints answer ",
                              channel->queue_pairs.size()));
  }
  for (size_t i = 0; i < accept.endpoints.size(); ++i) {
    QueuePair* qp = channel->queue_pairs[i].get();
    if (absl::Status s = Connect(options_, accept.endpoints[i], qp); !s.ok()) return s;
    if (!accept.windows.empty()) qp->key_column = static_cast<uint32_t>(i);
    // Receives that stay free for the words: hello, goodbye.
    qp->credits = accept.endpoints[i].receives - 4;
    qp->AddWord({.word = Word::kHello, .value = 0});
    if (absl::Status s = qp->Ring(); !s.ok()) return s;
    qp->rail().Restore();
  }
  channel->deadline.reset();
  for (RemoteMemory& memory : accept.windows) {
    channel->keys.emplace(memory.windows(), std::move(memory));
  }
  if (!channel->source->Rekey([&](const RemoteMemory& m) { return KeysOf(*channel, m); })) {
    return NoKeys();
  }
  if (!accept.windows.empty()) {
    channel->machine.Advance(ChannelEvent::kAwaited);
    return absl::OkStatus();
  }
  channel->machine.Advance(ChannelEvent::kAnswered);
  events_.ChannelUp(channel->id);
  MakeRunnable(channel);
  return absl::OkStatus();
}

}  // namespace baton::transport::verbs
