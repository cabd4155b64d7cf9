// Asynchronous events of the devices: each is taken, acknowledged and judged.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/causes.h"
#include "transfer_agent/transport/verbs/rails.h"

namespace baton::transport::verbs {
namespace {

std::string Text(const Rail& rail, ibv_event_type event) {
  return absl::StrCat("verbs ", rail.name(), ": ", ExplainEvent(event));
}

Loss LossOf(const Rail* rail, absl::Status cause) {
  return {.rail = rail, .qp = nullptr, .sources_only = false, .cause = std::move(cause)};
}

}  // namespace

Loss Rails::Kill(Rail* rail, const absl::Status& cause) {
  // tidy-allow(log): the text begins with the rail.
  LOG(ERROR) << cause;
  rail->health.dead = true;
  return LossOf(rail, cause);
}

bool Rails::TakeEvents(Losses* losses) {
  bool any = false;
  for (const auto& rail : rails_) {
    ibv_async_event event{};
    while (provider_->TakeAsyncEvent(rail->context(), &event)) {
      // First: a queue pair cannot be destroyed while an event of it is not acknowledged.
      provider_->AckAsyncEvent(&event);
      OnEvent(rail.get(), event, losses);
      any = true;
    }
  }
  return any;
}

void Rails::OnEvent(Rail* rail, const ibv_async_event& event, Losses* losses) {
  const std::string text = Text(*rail, event.event_type);
  const bool of_port = event.element.port_num == static_cast<int>(rail->chosen().port.port);
  switch (event.event_type) {
    case IBV_EVENT_QP_FATAL:
    case IBV_EVENT_QP_REQ_ERR:
    case IBV_EVENT_QP_ACCESS_ERR:
      losses->push_back(LossOf(rail, Error(Reason::kTransport, text)));
      losses->back().qp = event.element.qp;
      return;
    case IBV_EVENT_CQ_ERR:
    case IBV_EVENT_DEVICE_FATAL:
      return losses->push_back(Kill(rail, Error(Reason::kTransport, text)));
    case IBV_EVENT_PORT_ERR:
      if (of_port) OnPortEvent(rail, /*up=*/false, text);
      return;
    case IBV_EVENT_PORT_ACTIVE:
      if (!of_port) return;
      OnPortEvent(rail, /*up=*/true, text);
      return CheckAddress(rail, text, losses);
    case IBV_EVENT_GID_CHANGE:
    case IBV_EVENT_LID_CHANGE:
    case IBV_EVENT_CLIENT_REREGISTER:
      if (of_port) CheckAddress(rail, text, losses);
      return;
    default:
      // tidy-allow(log): the text begins with the rail.
      LOG(INFO) << text;
      return;
  }
}

void Rails::OnPortEvent(Rail* rail, bool up, const std::string& text) {
  // Channels stay for now: a short flap is ridden out by the retries (CheckPorts).
  rail->health.port_up = up;
  rail->health.down_since.reset();
  if (up) rail->health.paused_until = TimePoint();
  // tidy-allow(log): the text begins with the rail.
  LOG(WARNING) << text;
}

void Rails::CheckPorts(TimePoint now, Losses* losses) {
  for (const auto& rail : rails_) {
    RailHealth& health = rail->health;
    if (health.port_up || health.dead) continue;
    if (!health.down_since.has_value()) health.down_since = now;
    if (now - *health.down_since < options_.port_grace || Usable(now).empty()) continue;
    const std::string text = Text(*rail, IBV_EVENT_PORT_ERR);
    losses->push_back({.rail = rail.get(),
                       .qp = nullptr,
                       .sources_only = true,
                       .cause = Error(Reason::kTransport, text)});
  }
}

void Rails::CheckAddress(Rail* rail, const std::string& text, Losses* losses) {
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
    rail->health.addressed = false;
    const absl::Status cause = Error(
        Reason::kTransport, absl::StrCat(text, ", and is of no use: ", fresh.status().message()));
    // tidy-allow(log): the text begins with the rail.
    LOG(ERROR) << cause;
    return losses->push_back(LossOf(rail, cause));
  }
  const ChosenRail& chosen = fresh->rails.front();
  const bool moved = !rail->health.addressed || chosen.gid.bytes != old.gid.bytes ||
                     chosen.gid.index != old.gid.index || chosen.port.lid != old.port.lid;
  // tidy-allow(log): the text begins with the rail.
  LOG(WARNING) << text << ": " << (moved ? "now " : "still ") << fresh->Summary();
  if (!moved) return;
  rail->health.addressed = true;
  rail->Readdress(chosen);
  const std::string cause = absl::StrCat(text, ": its channels are opened again");
  losses->push_back(LossOf(rail, Error(Reason::kTransport, cause)));
}

}  // namespace baton::transport::verbs
