#include "transfer_agent/transport/verbs/rails.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {

absl::Status Rails::Open() {
  absl::StatusOr<Selection> selection = SelectRails(provider_->List(), options_.wishes);
  if (!selection.ok()) return selection.status();
  selection_ = *std::move(selection);
  CHECK_LE(selection_.rails.size(), kRailsMax);
  std::vector<ChosenRail> opened;
  for (const ChosenRail& chosen : selection_.rails) {
    auto rail = Rail::Open(provider_, chosen, rails_.size(), options_);
    if (!rail.ok()) {
      LeaveOut(chosen, rail.status());
      continue;
    }
    if (options_.memory_windows && !(*rail)->limits().memory_windows) {
      // Asked for as a guard of memory: to do without it, or without the device, is not ours.
      return Error(
          Reason::kNoTransport,
          absl::StrCat("verbs ", (*rail)->name(),
                       ": --verbs_windows asks for memory windows of type 2, which this "
                       "device does not have: leave it out by --verbs_devices, or the flag"));
    }
    opened.push_back(chosen);
    rails_.push_back(*std::move(rail));
  }
  selection_.rails = std::move(opened);
  if (!rails_.empty()) return absl::OkStatus();
  return Error(Reason::kNoTransport, absl::StrCat("verbs: no usable device; tried ",
                                                  absl::StrJoin(selection_.candidates, "; ")));
}

void Rails::LeaveOut(const ChosenRail& chosen, const absl::Status& why) {
  const std::string name = absl::StrCat(chosen.port.device, "/", chosen.port.port);
  LOG(ERROR) << "verbs " << name << " is left out: " << why;
  for (std::string& line : selection_.candidates) {
    if (!absl::StartsWith(line, name + " ") || !absl::EndsWith(line, ": taken")) continue;
    line.resize(line.size() - absl::string_view("taken").size());
    absl::StrAppend(&line, "left out: ", why.message());
  }
}

std::vector<std::shared_ptr<const PortMetrics>> Rails::metrics() const {
  std::vector<std::shared_ptr<const PortMetrics>> ports;
  for (const auto& rail : rails_) ports.push_back(rail->metrics());
  return ports;
}

std::vector<Rail*> Rails::Usable(TimePoint now) const {
  std::vector<Rail*> usable;
  for (const auto& rail : rails_) {
    if (rail->health.usable(now)) usable.push_back(rail.get());
  }
  // A paused rail is better than none.
  for (const auto& rail : rails_) {
    if (usable.empty() && rail->health.works()) usable.push_back(rail.get());
  }
  return usable;
}

absl::Status Rails::NoneUp() const {
  return Error(Reason::kTransport, absl::StrCat("verbs: no rail is up: ", selection_.Summary()));
}

absl::StatusOr<std::vector<Rail*>> Rails::To(PeerId peer, TimePoint now) const {
  std::vector<Rail*> usable = Usable(now);
  if (usable.empty()) return NoneUp();
  std::vector<Rail*> open;
  for (Rail* rail : usable) {
    if (!pauses_.OwnPaused(peer, rail->index(), now)) open.push_back(rail);
  }
  return open.empty() ? usable : open;
}

absl::StatusOr<std::vector<Rail*>> Rails::For(const Greeting& open, uint64_t turn,
                                              TimePoint now) const {
  const std::vector<Rail*> usable = Usable(now);
  if (usable.empty()) return NoneUp();
  std::vector<Rail*> better;
  for (Rail* rail : usable) {
    const auto& avoid = open.avoid_rails;
    if (std::find(avoid.begin(), avoid.end(), rail->index()) == avoid.end()) {
      better.push_back(rail);
    }
  }
  const std::vector<Rail*>& from = better.empty() ? usable : better;
  bool one = true;
  for (const Endpoint& e : open.endpoints) one = one && e.rail == open.endpoints[0].rail;
  std::vector<Rail*> each;
  for (size_t i = 0; i < open.endpoints.size(); ++i) {
    // Rails of one number are often on one network. A source with a single rail uses ours in turn.
    Rail* rail = from[(i + (one ? turn : 0)) % from.size()];
    for (Rail* same : from) {
      if (!one && same->index() == open.endpoints[i].rail) rail = same;
    }
    each.push_back(rail);
  }
  return each;
}

std::vector<size_t> Rails::Working() const {
  std::vector<size_t> working;
  for (const auto& rail : rails_) {
    if (rail->health.works()) working.push_back(rail->index());
  }
  return working;
}

void Rails::NotReached(PeerId peer, const QueuePair& qp, TimePoint now) {
  qp.rail().metrics()->pauses.Add();
  pauses_.Failed(peer, qp.rail().index(), qp.far.rail, now);
}

std::optional<TimePoint> Rails::NextDue(TimePoint now) const {
  std::optional<TimePoint> next;
  for (const auto& rail : rails_) {
    if (!rail->health.down_since.has_value()) continue;
    const TimePoint grace = *rail->health.down_since + options_.port_grace;
    if (now < grace && (!next.has_value() || grace < *next)) next = grace;
  }
  return next;
}

bool Rails::Arm() {
  return std::all_of(rails_.begin(), rails_.end(),
                     [](const auto& rail) { return ibv_req_notify_cq(rail->cq(), 0) == 0; });
}

void Rails::TakeWakeups() {
  for (const auto& rail : rails_) {
    while (provider_->TakeCqEvent(rail->wakeups())) {
    }
  }
}

}  // namespace baton::transport::verbs
