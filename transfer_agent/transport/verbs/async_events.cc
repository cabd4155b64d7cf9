// Asynchronous events of the devices: each is taken, acknowledged and acted on.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/causes.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {

bool VerbsTransport::TakeAsyncEvents() {
  bool any = false;
  for (const auto& rail : rails_) {
    ibv_async_event event{};
    while (provider_->TakeAsyncEvent(rail->context(), &event)) {
      // First: a queue pair cannot be destroyed while an event of it is not acknowledged.
      provider_->AckAsyncEvent(&event);
      OnAsyncEvent(rail.get(), event);
      any = true;
    }
  }
  return any;
}

Channel* VerbsTransport::ChannelOf(const ibv_qp* qp) {
  for (const Place& place : places_) {
    if (place.channel != nullptr && place.channel->queue_pairs[place.index]->qp() == qp) {
      return place.channel;
    }
  }
  return nullptr;
}

void VerbsTransport::FailRail(Rail* rail, const absl::Status& cause) {
  LOG(ERROR) << cause;
  rail->dead = true;
  std::vector<Channel*> gone;
  for (auto& [id, channel] : channels_) {
    const auto& qps = channel->queue_pairs;
    if (std::any_of(qps.begin(), qps.end(), [rail](const auto& q) { return &q->rail() == rail; })) {
      gone.push_back(channel.get());
    }
  }
  for (Channel* channel : gone) Fail(channel, cause);
}

void VerbsTransport::OnAsyncEvent(Rail* rail, const ibv_async_event& event) {
  const std::string text =
      absl::StrCat("verbs ", rail->name(), ": ", ExplainEvent(event.event_type));
  switch (event.event_type) {
    case IBV_EVENT_QP_FATAL:
    case IBV_EVENT_QP_REQ_ERR:
    case IBV_EVENT_QP_ACCESS_ERR:
      if (Channel* channel = ChannelOf(event.element.qp)) {
        rail->Pause(now_);
        Fail(channel, Error(Reason::kTransport, text));
      }
      return;
    case IBV_EVENT_CQ_ERR:
    case IBV_EVENT_DEVICE_FATAL:
      return FailRail(rail, Error(Reason::kTransport, text));
    case IBV_EVENT_PORT_ERR:
    case IBV_EVENT_PORT_ACTIVE:
      if (event.element.port_num != static_cast<int>(rail->chosen().port.port)) return;
      // Channels stay: a short flap is ridden out by the retries, a long one fails them by name.
      rail->port_up = event.event_type == IBV_EVENT_PORT_ACTIVE;
      if (rail->port_up) rail->paused_until = TimePoint();
      LOG(WARNING) << text;
      return;
    default:
      LOG(INFO) << text;
      return;
  }
}

}  // namespace baton::transport::verbs
