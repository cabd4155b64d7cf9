// How channels end: closed, failed, retired, given up.
#include <algorithm>

#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

// Polls of every rail before a channel is ended.
constexpr int kDrainsMax = 64;

}  // namespace

void VerbsTransport::Close(ChannelId id) {
  Channel* channel = Find(id);
  if (channel == nullptr) return;
  events_.ForgetChannel(id);
  const absl::Status cause = absl::CancelledError("the channel was closed");
  if (!channel->up()) {
    if (!channel->leaving()) Remove(channel, cause);
    return;
  }
  Leave(channel, cause);
}

void VerbsTransport::Leave(Channel* channel, const absl::Status& cause) {
  if (channel->source != nullptr) channel->source->CancelAll(cause);
  channel->machine.Advance(ChannelEvent::kLeave);
  channel->deadline.reset();
  look_at_clock_ = true;
  MakeRunnable(channel);
}

void VerbsTransport::Retire(ChannelId id) {
  // What has arrived counts: it is not sent again.
  for (int i = 0; i < kDrainsMax && PollRails(); ++i) {
  }
  Channel* channel = Find(id);
  if (channel != nullptr && channel->source == nullptr) {
    events_.ForgetChannel(id);
    Remove(channel, absl::CancelledError("the source's end has failed"));
  }
  retired_.emplace_back(id, flusher_.last_number());
  look_at_clock_ = true;
}

void VerbsTransport::CheckRetired() {
  // A queue pair that the device does not reset may still be written through.
  if (graveyard_.undead() > 0) return;
  // A part that is complete and not seen yet counts as arrived: it is told of before this is.
  std::erase_if(retired_, [this](const auto& retired) {
    if (!flusher_.ToldUpTo(retired.second)) return false;
    events_.ChannelRetired(retired.first);
    return true;
  });
}

bool VerbsTransport::Superseded(ChannelId id) const {
  const Channel* channel = Find(id);
  if (channel == nullptr || channel->source == nullptr || !channel->up()) return false;
  if (channel->superseded) return true;
  std::set<const Rail*> used;
  for (const auto& qp : channel->queue_pairs) used.insert(&qp->rail());
  return used.size() < RailsTo(channel->peer).size();
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
  const bool keyless = channel->windows != nullptr && channel->windows->invalidated();
  for (const auto& qp : channel->queue_pairs) {
    graveyard_.Bury(*qp, keyless);
    places_.Free(qp->place());
  }
  // Behind the reset, so that no write is refused for its key which would only have been lost. A
  // queue pair cannot be destroyed before.
  channel->windows.reset();
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
  pauses_.Forget(peer);
}

}  // namespace baton::transport::verbs
