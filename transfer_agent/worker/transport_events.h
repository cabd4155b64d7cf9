// What a transport reports, handed to the side of the worker that it concerns.
#ifndef BATON_TRANSFER_AGENT_WORKER_TRANSPORT_EVENTS_H_
#define BATON_TRANSFER_AGENT_WORKER_TRANSPORT_EVENTS_H_

#include "transfer_agent/transport/transport.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {

// Transport events carry no time of their own: that of the poll that raised them.
class WorkerCore::TransportEvents final : public transport::Events {
 public:
  TransportEvents(WorkerCore* core, transport::Transport* transport)
      : core_(core), transport_(transport) {}

  bool Poll(TimePoint now) {
    now_ = now;
    return transport_->Poll(now, this);
  }

  void OnChannelUp(transport::ChannelId channel) override {
    auto took = core_->context_.channels.OnUp(transport_, channel, now_);
    if (took.has_value()) core_->context_.metrics.Observe(MetricStage::kConnect, *took);
    core_->source_.OnChannelUp(transport_, channel, now_);
  }
  void OnChannelDown(transport::ChannelId channel, const absl::Status& cause) override {
    const size_t path = core_->context_.IndexOf(transport_);
    if (path < kTransportsMax) core_->context_.metrics.paths[path].channel_failures.Add();
    const auto accepted = core_->context_.channels.OnDown(transport_, channel);
    if (accepted.has_value()) return core_->target_.OnChannelDown(*accepted, cause, now_);
    core_->source_.OnChannelDown(transport_, channel, cause, now_);
  }
  void OnSegmentDone(uint64_t cookie, const absl::Status& status) override {
    core_->source_.OnSegmentDone(transport_, cookie, status, now_);
  }
  void OnPart(transport::ChannelId, PeerId peer, OfferId offer, uint32_t part,
              uint64_t bytes) override {
    core_->target_.OnPart(peer, offer, part, bytes, now_);
  }
  void OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause) override {
    core_->target_.OnWindowBroken(peer, offer, cause, now_);
  }
  void OnFenced(PeerId peer, OfferId offer) override { core_->target_.OnFenced(peer, offer, now_); }
  void OnChannelRetired(transport::ChannelId channel) override {
    for (const auto& waiting : core_->context_.channels.TakeWaiting(transport_, channel)) {
      core_->target_.TellArrived(transport_, waiting);
    }
  }

 private:
  WorkerCore* const core_;
  transport::Transport* const transport_;
  TimePoint now_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_TRANSPORT_EVENTS_H_
