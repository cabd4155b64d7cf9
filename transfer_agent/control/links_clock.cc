// The thread that keeps time for the links: redials, heartbeats, acknowledgements, silence.
#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/control/links.h"

namespace baton::control {
namespace {

// Deadlines that lie closer together are served together.
constexpr auto kGrid = std::chrono::milliseconds(10);
// For the other end to take a wire's last words.
constexpr auto kCloseTime = std::chrono::seconds(1);

}  // namespace

void Links::Run() {
  while (true) {
    const TimePoint now = Monotonic::now();
    {
      MutexLock lock(&alarm_mu_);
      if (stop_) return;
      wake_at_ = TimePoint::max();
    }
    const TimePoint next = std::min(Tick(now), now + options_.idle);
    MutexLock lock(&alarm_mu_);
    wake_at_ = std::max(std::min(wake_at_, next), now + kGrid);
    while (!stop_ && Monotonic::now() < wake_at_) alarm_.WaitUntil(&alarm_mu_, wake_at_);
  }
}

TimePoint Links::Tick(TimePoint now) {
  EndUndialled();
  TimePoint next = std::min({StartDueLinks(now), AbortDoomed(now), AbortUngreeted(now)});
  for (const auto& link : AllLinks()) next = std::min(next, link->Tick(now));
  return next;
}

TimePoint Links::StartDueLinks(TimePoint now) {
  TimePoint next = TimePoint::max();
  MutexLock lock(&mu_);
  if (leaving_) return next;
  for (auto& [address, target] : targets_) {
    if (target.link != nullptr) continue;
    if (target.retry_at > now) {
      next = std::min(next, target.retry_at);
      continue;
    }
    PeerInfo peer;
    peer.address = address;
    peer.dialled = true;
    target.link = NewLink(std::move(peer), ++last_link_number_);
  }
  return next;
}

void Links::EndUndialled() {
  std::vector<std::shared_ptr<Link>> undialled;
  {
    MutexLock lock(&mu_);
    undialled.swap(undialled_);
  }
  for (const auto& link : undialled) {
    link->End(Error(Reason::kAborted, "this agent has no more use for the peer"));
  }
}

TimePoint Links::AbortDoomed(TimePoint now) {
  std::vector<std::shared_ptr<Wire>> due;
  TimePoint next = TimePoint::max();
  {
    MutexLock lock(&alarm_mu_);
    // Oldest first.
    auto keep = doomed_.begin();
    while (keep != doomed_.end() && keep->when <= now) {
      if (auto wire = (keep++)->wire.lock()) due.push_back(std::move(wire));
    }
    doomed_.erase(doomed_.begin(), keep);
    if (!doomed_.empty()) next = doomed_.front().when;
  }
  for (const auto& wire : due) wire->Abort();
  return next;
}

TimePoint Links::AbortUngreeted(TimePoint now) {
  std::vector<std::shared_ptr<Wire>> due;
  TimePoint next = TimePoint::max();
  {
    MutexLock lock(&mu_);
    for (auto& [end, doomed] : ungreeted_) {
      auto wire = doomed.when <= now ? doomed.wire.lock() : nullptr;
      if (wire != nullptr) due.push_back(std::move(wire));
      if (doomed.when > now) next = std::min(next, doomed.when);
    }
  }
  for (const auto& wire : due) wire->Abort();
  return next;
}

void Links::Retire(std::shared_ptr<Wire> wire) {
  MutexLock lock(&alarm_mu_);
  doomed_.push_back({wire, Monotonic::now() + kCloseTime});
}

void Links::WakeBy(TimePoint when) {
  MutexLock lock(&alarm_mu_);
  if (when >= wake_at_) return;
  wake_at_ = when;
  alarm_.NotifyAll();
}

}  // namespace baton::control
