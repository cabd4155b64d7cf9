// How channels end: closed, failed, given up; and what ends them by the clock.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/channels.h"

namespace baton::transport::verbs {

Channels::~Channels() {
  while (!channels_.empty()) {
    End(channels_.begin()->second.get(), absl::CancelledError("the transport is ending"));
  }
}

void Channels::Close(ChannelId id) {
  Channel* channel = Find(id);
  if (channel == nullptr) return;
  loop_->events.ForgetChannel(id);
  const absl::Status cause = absl::CancelledError("the channel was closed");
  if (channel->up()) return Leave(channel, cause);
  if (!channel->leaving()) End(channel, cause);
}

void Channels::Leave(Channel* channel, const absl::Status& cause) {
  if (channel->source != nullptr) channel->source->CancelAll(cause);
  channel->machine.Advance(ChannelEvent::kLeave);
  channel->deadline.reset();
  loop_->clock.Ask();
  run_queue_.Add(channel);
}

void Channels::Fail(Channel* channel, const absl::Status& cause) {
  const ChannelId id = channel->id;
  const bool owned = !channel->leaving();
  if (owned) LOG(WARNING) << "verbs channel " << id.value() << " is down: " << cause;
  End(channel, cause);
  if (!owned) return;
  loop_->events.ForgetChannel(id);
  loop_->events.ChannelDown(id, cause);
}

void Channels::End(Channel* channel, const absl::Status& cause) {
  // The queue pairs first: segments are over when nothing reads their pages any more.
  setup_.Release(channel);
  if (channel->source != nullptr) channel->source->Abandon(cause);
  run_queue_.Remove(channel);
  channels_.erase(channel->id);
}

template <typename Match>
void Channels::FailIf(Match match, const absl::Status& cause) {
  std::vector<Channel*> gone;
  for (const auto& [id, channel] : channels_) {
    if (match(*channel)) gone.push_back(channel.get());
  }
  for (Channel* channel : gone) Fail(channel, cause);
}

void Channels::Lose(const Loss& loss) {
  if (loss.qp == nullptr) {
    return FailIf(
        [&](const Channel& channel) {
          return channel.Uses(*loss.rail) && (!loss.sources_only || channel.source != nullptr);
        },
        loss.cause);
  }
  const Place* place = queue_pairs_->Find(loss.qp);
  if (place == nullptr || place->channel == nullptr) return;
  rails_->NotReached(place->channel->peer, *place->qp, loop_->clock.now());
  Fail(place->channel, loss.cause);
}

void Channels::FailTargets(PeerId peer, const absl::Status& cause) {
  FailIf(
      [peer](const Channel& channel) { return channel.peer == peer && channel.source == nullptr; },
      cause);
}

void Channels::ForgetPeer(PeerId peer) {
  std::vector<Channel*> gone;
  for (auto& [id, channel] : channels_) {
    if (channel->peer == peer) gone.push_back(channel.get());
  }
  for (Channel* channel : gone) {
    loop_->events.ForgetChannel(channel->id);
    End(channel, absl::CancelledError("the peer is gone"));
  }
}

bool Channels::Revoke(PeerId peer) {
  bool all = true;
  for (auto& [id, channel] : channels_) {
    if (channel->peer != peer || channel->windows == nullptr) continue;
    // What cannot be posted is left to the reset.
    if (channel->windows->Invalidate().ok()) all &= channel->windows->invalidated();
  }
  return all;
}

void Channels::ForgetMemory(const LocalMemory* memory) {
  for (auto& [id, channel] : channels_) {
    if (channel->windows != nullptr) channel->windows->Forget(memory);
    if (channel->source == nullptr) continue;
    channel->source->ForgetMemory(memory);
    run_queue_.Add(channel.get());
  }
}

void Channels::Probe(Channel* channel, TimePoint now) {
  if (!channel->quiet_since.has_value()) channel->quiet_since = now;
  if (now - *channel->quiet_since < loop_->options.probe_interval) return;
  channel->quiet_since = now;
  for (const auto& qp : channel->queue_pairs) {
    // What is under way probes by itself.
    if (!qp->sends().idle()) continue;
    const bool added = channel->source != nullptr ? qp->AddProbe()
                                                  : qp->AddWord({.word = Word::kProbe, .value = 0});
    if (added) run_queue_.Add(channel);
  }
}

void Channels::Look(TimePoint now) {
  const VerbsOptions& options = loop_->options;
  std::vector<Channel*> late;
  std::vector<Channel*> replaced;
  for (auto& [id, channel] : channels_) {
    if (!channel->up()) {
      if (!channel->deadline.has_value()) {
        channel->deadline =
            now + (channel->leaving() ? options.leave_timeout : options.handshake_timeout);
      }
      if (*channel->deadline <= now) late.push_back(channel.get());
      continue;
    }
    const bool quiet =
        channel->quiet_since.has_value() && now - *channel->quiet_since >= options.probe_interval;
    if (quiet && !channel->runnable && channel->drained() && Superseded(id)) {
      replaced.push_back(channel.get());
    } else {
      Probe(channel.get(), now);
    }
  }
  for (Channel* channel : late) {
    Fail(channel, Error(Reason::kDeadline, absl::StrCat("verbs: channel not up in time: ",
                                                        Name(channel->machine.state()))));
  }
  for (Channel* channel : replaced) {
    Fail(channel, Error(Reason::kTransport, "verbs: a better channel has taken its place"));
  }
}

std::optional<TimePoint> Channels::NextDue(TimePoint now) const {
  std::optional<TimePoint> next;
  const auto at = [&next](TimePoint when) {
    if (!next.has_value() || when < *next) next = when;
  };
  for (const auto& [id, channel] : channels_) {
    if (channel->deadline.has_value()) at(*channel->deadline);
    if (channel->up()) at(channel->quiet_since.value_or(now) + loop_->options.probe_interval);
  }
  return next;
}

}  // namespace baton::transport::verbs
