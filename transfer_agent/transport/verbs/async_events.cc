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
  for (const Place& place : places_.all()) {
    if (place.channel != nullptr && place.channel->queue_pairs[place.index]->qp() == qp) {
      return place.channel;
    }
  }
  return nullptr;
}

void VerbsTransport::FailChannels(const Rail& rail, bool sources_only, const absl::Status& cause) {
  std::vector<Channel*> gone;
  for (auto& [id, channel] : channels_) {
    const auto& qps = channel->queue_pairs;
    if (sources_only && channel->source == nullptr) continue;
    if (std::any_of(qps.begin(), qps.end(), [&](const auto& q) { return &q->rail() == &rail; })) {
      gone.push_back(channel.get());
    }
  }
  for (Channel* channel : gone) Fail(channel, cause);
}

void VerbsTransport::PausePath(const Channel& channel, const QueuePair& qp) {
  qp.rail().metrics()->pauses.Add();
  pauses_.Failed(channel.peer, qp.rail_index, qp.remote_rail, now_);
}

void VerbsTransport::FailRail(Rail* rail, const absl::Status& cause) {
  // tidy-allow(log): the text begins with the rail.
  LOG(ERROR) << cause;
  rail->dead = true;
  FailChannels(*rail, /*sources_only=*/false, cause);
}

void VerbsTransport::OnPortEvent(Rail* rail, bool up, const std::string& text) {
  // Channels stay for now: a short flap is ridden out by the retries (CheckPorts).
  rail->port_up = up;
  rail->down_since.reset();
  if (up) rail->paused_until = TimePoint();
  look_at_clock_ = true;
  // tidy-allow(log): the text begins with the rail.
  LOG(WARNING) << text;
}

void VerbsTransport::CheckPorts(TimePoint now) {
  for (const auto& rail : rails_) {
    if (rail->port_up || rail->dead) continue;
    if (!rail->down_since.has_value()) rail->down_since = now;
    if (now - *rail->down_since < options_.port_grace || UsableRails().empty()) continue;
    FailChannels(*rail, /*sources_only=*/true,
                 Error(Reason::kTransport, absl::StrCat("verbs ", rail->name(), ": ",
                                                        ExplainEvent(IBV_EVENT_PORT_ERR))));
  }
}

void VerbsTransport::CheckAddress(Rail* rail, const std::string& text) {
  const ChosenRail& old = rail->chosen();
  std::vector<PortListing> port;
  for (PortListing& listed : provider_->List()) {
    const bool same = listed.device == old.port.device && listed.port == old.port.port;
    if (same) port.push_back(std::move(listed));
  }
  // While the port is down it has nothing to say; it is looked at again when it is up.
  if (!port.empty() && !port[0].active) return;
  Wishes wishes = options_.wishes;
  wishes.devices = {rail->name()};
  absl::StatusOr<Selection> fresh = SelectRails(port, wishes);
  if (!fresh.ok()) {
    rail->addressed = false;
    const absl::Status cause = Error(
        Reason::kTransport, absl::StrCat(text, ", and is of no use: ", fresh.status().message()));
    // tidy-allow(log): the text begins with the rail.
    LOG(ERROR) << cause;
    return FailChannels(*rail, /*sources_only=*/false, cause);
  }
  const ChosenRail& chosen = fresh->rails.front();
  const bool moved = !rail->addressed || chosen.gid.bytes != old.gid.bytes ||
                     chosen.gid.index != old.gid.index || chosen.port.lid != old.port.lid;
  // tidy-allow(log): the text begins with the rail.
  LOG(WARNING) << text << ": " << (moved ? "now " : "still ") << fresh->Summary();
  if (!moved) return;
  rail->addressed = true;
  rail->Readdress(chosen);
  FailChannels(*rail, /*sources_only=*/false,
               Error(Reason::kTransport, absl::StrCat(text, ": its channels are opened again")));
}

void VerbsTransport::OnQueuePairEvent(const ibv_async_event& event, const std::string& text) {
  Channel* channel = ChannelOf(event.element.qp);
  if (channel == nullptr) return;
  for (const auto& qp : channel->queue_pairs) {
    if (qp->qp() != event.element.qp) continue;
    PausePath(*channel, *qp);
  }
  Fail(channel, Error(Reason::kTransport, text));
}

void VerbsTransport::OnAsyncEvent(Rail* rail, const ibv_async_event& event) {
  const std::string text =
      absl::StrCat("verbs ", rail->name(), ": ", ExplainEvent(event.event_type));
  const bool of_port = event.element.port_num == static_cast<int>(rail->chosen().port.port);
  switch (event.event_type) {
    case IBV_EVENT_QP_FATAL:
    case IBV_EVENT_QP_REQ_ERR:
    case IBV_EVENT_QP_ACCESS_ERR:
      return OnQueuePairEvent(event, text);
    case IBV_EVENT_CQ_ERR:
    case IBV_EVENT_DEVICE_FATAL:
      return FailRail(rail, Error(Reason::kTransport, text));
    case IBV_EVENT_PORT_ERR:
      if (of_port) OnPortEvent(rail, /*up=*/false, text);
      return;
    case IBV_EVENT_PORT_ACTIVE:
      if (!of_port) return;
      OnPortEvent(rail, /*up=*/true, text);
      return CheckAddress(rail, text);
    case IBV_EVENT_GID_CHANGE:
    case IBV_EVENT_LID_CHANGE:
    case IBV_EVENT_CLIENT_REREGISTER:
      if (of_port) CheckAddress(rail, text);
      return;
    default:
      // tidy-allow(log): the text begins with the rail.
      LOG(INFO) << text;
      return;
  }
}

}  // namespace baton::transport::verbs
