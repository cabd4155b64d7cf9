// Opening, accepting, closing: what happens once a channel.
#include <sys/random.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {

Channel* VerbsTransport::Find(ChannelId channel) {
  auto it = channels_.find(channel);
  return it == channels_.end() ? nullptr : it->second.get();
}

std::vector<Rail*> VerbsTransport::UsableRails() {
  std::vector<Rail*> usable;
  for (const auto& rail : rails_) {
    if (rail->usable(now_)) usable.push_back(rail.get());
  }
  // A paused rail is better than none.
  for (const auto& rail : rails_) {
    if (usable.empty() && rail->port_up && !rail->dead) usable.push_back(rail.get());
  }
  return usable;
}

absl::StatusOr<uint16_t> VerbsTransport::TakePlace() {
  if (!free_places_.empty()) {
    const uint16_t place = free_places_.back();
    free_places_.pop_back();
    return place;
  }
  if (places_.size() > UINT16_MAX) {
    return Error(Reason::kFull, "verbs: 65536 queue pairs of this worker are in use");
  }
  places_.emplace_back();
  return static_cast<uint16_t>(places_.size() - 1);
}

absl::StatusOr<std::unique_ptr<Channel>> VerbsTransport::NewChannel(PeerId peer, ChannelState state,
                                                                    absl::Span<Rail* const> rails) {
  auto channel = std::make_unique<Channel>(ChannelId(++last_channel_), peer, state);
  const bool source = state == ChannelState::kOffered;
  if (source) {
    channel->source = std::make_unique<SourceDatapath>(options_, &events_, &counters_);
  }
  for (Rail* rail : rails) {
    absl::StatusOr<uint16_t> place = TakePlace();
    if (!place.ok()) {
      Release(channel.get());
      return place.status();
    }
    absl::StatusOr<std::unique_ptr<QueuePair>> qp =
        MakeQueuePair(options_, rail, source, *place, places_[*place].generation);
    if (!qp.ok()) {
      free_places_.push_back(*place);
      Release(channel.get());
      return qp.status();
    }
    places_[*place].channel = channel.get();
    places_[*place].index = static_cast<uint32_t>(channel->queue_pairs.size());
    (*qp)->rail_index = std::find_if(rails_.begin(), rails_.end(),
                                     [rail](const auto& r) { return r.get() == rail; }) -
                        rails_.begin();
    channel->queue_pairs.push_back(*std::move(qp));
    if (source) channel->source->AddQueuePair(channel->queue_pairs.back().get());
  }
  return channel;
}

OpenedChannel VerbsTransport::Keep(std::unique_ptr<Channel> channel, std::string data) {
  const ChannelId id = channel->id;
  channels_.emplace(id, std::move(channel));
  look_at_clock_ = true;
  return {.id = id, .data = std::move(data)};
}

absl::StatusOr<OpenedChannel> VerbsTransport::Open(PeerId peer) {
  const std::vector<Rail*> usable = UsableRails();
  std::vector<Rail*> each;
  for (Rail* rail : usable) each.insert(each.end(), options_.queue_pairs_per_rail, rail);
  if (each.size() > kQueuePairsPerChannelMax) each.resize(kQueuePairsPerChannelMax);
  if (each.empty()) {
    return Error(Reason::kTransport, absl::StrCat("verbs: no rail is up: ", selection_.Summary()));
  }
  auto channel = NewChannel(peer, ChannelState::kOffered, each);
  if (!channel.ok()) return channel.status();
  Greeting open;
  PCHECK(getrandom(&open.nonce, sizeof(open.nonce), 0) == sizeof(open.nonce));
  (*channel)->nonce = open.nonce;
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
  absl::StatusOr<std::unique_ptr<Channel>> channel = Answer(peer, *open);
  if (!channel.ok()) return channel.status();
  Greeting accept{.nonce = open->nonce, .endpoints = {}};
  for (const auto& qp : (*channel)->queue_pairs) accept.endpoints.push_back(EndpointOf(*qp));
  return Keep(*std::move(channel), EncodeAccept(accept));
}

absl::StatusOr<std::unique_ptr<Channel>> VerbsTransport::Answer(PeerId peer, const Greeting& open) {
  const std::vector<Rail*> usable = UsableRails();
  if (usable.empty()) {
    return Error(Reason::kTransport, absl::StrCat("verbs: no rail is up: ", selection_.Summary()));
  }
  // One end for each of the source's, over our rails in turn.
  std::vector<Rail*> each;
  for (size_t i = 0; i < open.endpoints.size(); ++i) each.push_back(usable[i % usable.size()]);
  auto channel = NewChannel(peer, ChannelState::kExpected, each);
  if (!channel.ok()) return channel.status();
  for (size_t i = 0; i < open.endpoints.size(); ++i) {
    absl::Status status = Connect(options_, open.endpoints[i], (*channel)->queue_pairs[i].get());
    if (status.ok()) continue;
    Release(channel->get());
    return status;
  }
  return channel;
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
  if (status.ok()) status = ConnectSource(channel, *accept);
  if (!status.ok()) Fail(channel, status);
  return status;
}

absl::Status VerbsTransport::ConnectSource(Channel* channel, const Greeting& accept) {
  if (accept.endpoints.size() != channel->queue_pairs.size()) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("verbs: ", accept.endpoints.size(), " endpoints answer ",
                              channel->queue_pairs.size()));
  }
  for (size_t i = 0; i < accept.endpoints.size(); ++i) {
    QueuePair* qp = channel->queue_pairs[i].get();
    if (absl::Status s = Connect(options_, accept.endpoints[i], qp); !s.ok()) return s;
    // Receives that stay free for the words: hello, goodbye.
    qp->credits = accept.endpoints[i].receives - 4;
    qp->AddWord({.word = Word::kHello, .value = 0});
    if (absl::Status s = qp->Ring(); !s.ok()) return s;
    qp->rail().Restore();
  }
  channel->machine.Advance(ChannelEvent::kAnswered);
  channel->deadline.reset();
  events_.ChannelUp(channel->id);
  MakeRunnable(channel);
  return absl::OkStatus();
}

void VerbsTransport::Close(ChannelId id) {
  Channel* channel = Find(id);
  if (channel == nullptr) return;
  events_.ForgetChannel(id);
  const absl::Status cause = absl::CancelledError("the channel was closed");
  if (!channel->up()) {
    if (!channel->leaving()) Remove(channel, cause);
    return;
  }
  if (channel->source != nullptr) channel->source->CancelAll(cause);
  channel->machine.Advance(ChannelEvent::kLeave);
  channel->deadline.reset();
  look_at_clock_ = true;
  MakeRunnable(channel);
}

void VerbsTransport::Fail(Channel* channel, const absl::Status& cause) {
  const ChannelId id = channel->id;
  const bool owned = !channel->leaving();
  if (owned) LOG(WARNING) << "verbs channel " << id.value() << " is down: " << cause;
  Remove(channel, cause);
  if (!owned) return;
  events_.ForgetChannel(id);
  events_.ChannelDown(id, cause);
}

void VerbsTransport::Release(Channel* channel) {
  for (const auto& qp : channel->queue_pairs) {
    graveyard_.Bury(*qp);
    Place& place = places_[qp->place()];
    place.channel = nullptr;
    place.generation = (place.generation + 1) & kWorkGenerationMask;
    free_places_.push_back(qp->place());
  }
  look_at_clock_ = true;
}

void VerbsTransport::Remove(Channel* channel, const absl::Status& cause) {
  Release(channel);
  if (channel->source != nullptr) channel->source->Abandon(cause);
  std::erase(runnable_, channel);
  channels_.erase(channel->id);
}

void VerbsTransport::ForgetPeer(PeerId peer) {
  std::vector<Channel*> gone;
  for (auto& [id, channel] : channels_) {
    if (channel->peer == peer) gone.push_back(channel.get());
  }
  for (Channel* channel : gone) {
    events_.ForgetChannel(channel->id);
    Remove(channel, absl::CancelledError("the peer is gone"));
  }
  for (OfferId offer : target_.OffersOf(peer)) Fence(peer, offer);
  look_at_clock_ = true;
  // With its channels in reset nothing of this peer can land: its fences end when the clock is next
  // looked at, and only if every queue pair could be reset.
  for (PendingFence& fence : fences_) {
    if (fence.peer == peer) fence.deadline = TimePoint();
  }
  absl::erase_if(imports_, [peer](const auto& e) { return e.second.first == peer; });
  unanswered_.erase(peer);
}

}  // namespace baton::transport::verbs
