// What happens by the clock: greetings and goodbyes that take too long, fences without an answer,
// probes, numbers that become free.
#include <sys/timerfd.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

// The clock is looked at no more often than this, unless something asks for it.
constexpr Duration kLook = std::chrono::milliseconds(5);

}  // namespace

bool VerbsTransport::CheckClock(TimePoint now) {
  if (!look_at_clock_ && now < next_check_) return false;
  const bool asked = look_at_clock_;
  look_at_clock_ = false;
  next_check_ = now + kLook;
  bool worked = TakeAsyncEvents();
  CheckPorts(now);
  CheckChannels(now);
  CheckFences(now);
  graveyard_.Sweep(now);
  CheckRetired();
  RefreshGauges();
  return worked || asked;
}

void VerbsTransport::CheckChannels(TimePoint now) {
  std::vector<Channel*> late;
  std::vector<Channel*> replaced;
  for (auto& [id, channel] : channels_) {
    if (channel->up()) {
      const bool quiet = channel->quiet_since.has_value() &&
                         now - *channel->quiet_since >= options_.probe_interval;
      if (quiet && Idle(*channel) && Superseded(id)) {
        replaced.push_back(channel.get());
      } else {
        Probe(channel.get(), now);
      }
      continue;
    }
    if (!channel->deadline.has_value()) {
      channel->deadline =
          now + (channel->leaving() ? options_.leave_timeout : options_.handshake_timeout);
    }
    if (*channel->deadline <= now) late.push_back(channel.get());
  }
  for (Channel* channel : late) {
    Fail(channel, Error(Reason::kDeadline, absl::StrCat("verbs: channel not up in time: ",
                                                        Name(channel->machine.state()))));
  }
  for (Channel* channel : replaced) {
    Fail(channel, Error(Reason::kTransport, "verbs: a better channel has taken its place"));
  }
}

void VerbsTransport::Probe(Channel* channel, TimePoint now) {
  if (!channel->quiet_since.has_value()) channel->quiet_since = now;
  if (now - *channel->quiet_since < options_.probe_interval) return;
  channel->quiet_since = now;
  for (const auto& qp : channel->queue_pairs) {
    // What is under way probes by itself.
    if (!qp->idle()) continue;
    const bool added = channel->source != nullptr ? qp->AddProbe()
                                                  : qp->AddWord({.word = Word::kProbe, .value = 0});
    if (added) MakeRunnable(channel);
  }
}

// True: something was done, the channel may be gone.
bool VerbsTransport::SayGoodbye(Channel* channel) {
  if (!channel->drained()) return false;
  if (channel->said_goodbye) {
    Remove(channel, absl::CancelledError("the channel was closed"));
    return true;
  }
  for (const auto& qp : channel->queue_pairs) qp->AddWord({.word = Word::kGoodbye, .value = 0});
  channel->said_goodbye = true;
  for (const auto& qp : channel->queue_pairs) {
    if (qp->Ring().ok()) continue;
    Remove(channel, absl::CancelledError("the channel was closed"));
    break;
  }
  return true;
}

// True: the source's channels lose their keys before they are destroyed, and there is time left.
bool VerbsTransport::AwaitsInvalidation(PendingFence* fence, TimePoint now) {
  if (!fence->invalid_by.has_value()) fence->invalid_by = now + options_.leave_timeout;
  bool awaits = false;
  for (auto& [id, channel] : channels_) {
    if (channel->peer != fence->peer || channel->windows == nullptr) continue;
    // What cannot be posted is left to the reset.
    if (!channel->windows->Invalidate().ok()) continue;
    awaits |= !channel->windows->invalidated();
  }
  return awaits && now < *fence->invalid_by;
}

void VerbsTransport::CheckFences(TimePoint now) {
  std::vector<PendingFence> due;
  for (PendingFence& fence : fences_) {
    if (!fence.deadline.has_value()) fence.deadline = now + options_.fence_timeout;
    if (*fence.deadline <= now && !AwaitsInvalidation(&fence, now)) due.push_back(fence);
  }
  if (due.empty()) return;
  // Parts that are in already count: their completions are taken before anything is reset.
  PollRails();
  for (const PendingFence& fence : due) {
    std::vector<Channel*> gone;
    for (auto& [id, channel] : channels_) {
      if (channel->peer == fence.peer && channel->source == nullptr) gone.push_back(channel.get());
    }
    for (Channel* channel : gone) {
      Fail(channel, Error(Reason::kTransport,
                          "verbs: the source did not answer a fence in time; its channel was "
                          "destroyed"));
    }
    // A queue pair that the device does not reset may still be written through.
    if (graveyard_.undead() > 0) continue;
    if (*fence.deadline != TimePoint()) unanswered_[fence.peer].insert(fence.offer);
    EndFence(fence.peer, fence.offer);
  }
}

void VerbsTransport::RefreshGauges() {
  // Nothing is allocated here: it runs while rooms are under way.
  std::array<uint64_t, kRailsMax> in_flight{};
  std::array<uint64_t, kRailsMax> queue_pairs{};
  for (const auto& [id, channel] : channels_) {
    for (const auto& qp : channel->queue_pairs) {
      ++queue_pairs[qp->rail_index];
      in_flight[qp->rail_index] += qp->added() - qp->completed();
    }
  }
  for (size_t i = 0; i < rails_.size(); ++i) {
    PortMetrics& metrics = *rails_[i]->metrics();
    metrics.active.Set(rails_[i]->works() ? 1 : 0);
    metrics.queue_pairs.Set(queue_pairs[i]);
    metrics.in_flight.Set(in_flight[i]);
    metrics.in_reset.Set(graveyard_.CountOf(*rails_[i]));
  }
}

void VerbsTransport::ArmTimer() {
  RefreshGauges();
  std::optional<TimePoint> next = graveyard_.NextDue();
  const auto at = [&next](TimePoint when) {
    if (!next.has_value() || when < *next) next = when;
  };
  for (const PendingFence& fence : fences_) {
    if (fence.deadline.has_value()) at(*fence.deadline);
  }
  for (const auto& rail : rails_) {
    if (!rail->down_since.has_value()) continue;
    const TimePoint grace = *rail->down_since + options_.port_grace;
    if (now_ < grace) at(grace);
  }
  for (const auto& [id, channel] : channels_) {
    if (channel->deadline.has_value()) at(*channel->deadline);
    if (channel->up()) at(channel->quiet_since.value_or(now_) + options_.probe_interval);
  }
  itimerspec spec{};
  if (next.has_value()) {
    const auto wait = std::max<int64_t>(
        1'000'000,
        std::chrono::duration_cast<std::chrono::nanoseconds>(*next - Monotonic::now()).count());
    spec.it_value.tv_sec = wait / 1'000'000'000;
    spec.it_value.tv_nsec = wait % 1'000'000'000;
  }
  timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

}  // namespace baton::transport::verbs
