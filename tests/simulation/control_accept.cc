// Who may join, and what time asks of the links.
#include <algorithm>
#include <utility>

#include "common/reason.h"
#include "tests/simulation/control_links.h"
#include "tests/simulation/control_packet.h"

namespace baton::sim {
namespace {

constexpr Duration kGrid = 10 * kMilli;

}  // namespace

void ControlLinks::OnAccepted(const WirePtr& wire) {
  struct Joined {
    LinkPtr link;
    Priority priority = Priority::kBulk;
  };
  auto joined = std::make_shared<Joined>();
  Wire::End end;
  end.process = process_;
  const Wire* self = wire.get();
  end.on_message = [this, joined, self](const Payload& payload) {
    if (joined->link != nullptr) return OnPacket(joined->link, joined->priority, self, payload);
    const WirePtr shared = const_cast<Wire*>(self)->shared_from_this();
    absl::Status status = Greet(shared, static_cast<const Packet*>(payload.get())->Parse(),
                                &joined->link, &joined->priority);
    if (!status.ok()) shared->Close(1, status);
  };
  end.on_closed = [this, joined, self](const absl::Status& why) {
    if (joined->link != nullptr) OnWireClosed(joined->link, joined->priority, self, why);
  };
  wire->SetEnd(1, std::move(end));
}

absl::Status ControlLinks::Greet(const WirePtr& wire, const v1::Frame& frame, LinkPtr* joined,
                                 Priority* which) {
  auto hello = control::ParseHello(frame);
  if (!hello.ok()) return hello.status();
  auto link = FindAccepted(*hello);
  if (!link.ok()) return link.status();
  *which = hello->priority;
  *joined = *link;
  absl::Status status = Adopt(*link, wire, *hello);
  if (!status.ok()) *joined = nullptr;
  return status;
}

absl::StatusOr<ControlLinks::LinkPtr> ControlLinks::FindAccepted(const control::Hello& hello) {
  if (leaving_) return Error(Reason::kPeerLost, "the agent stops");
  const bool resumes = hello.peer_epoch != Epoch();
  if (resumes && hello.peer_epoch != epoch_) {
    return Error(Reason::kStaleEpoch, "the agent restarted");
  }
  auto found = accepted_.find(hello.address);
  if (found != accepted_.end()) {
    const LinkPtr known = found->second;
    const bool same_process = known->peer.epoch == hello.epoch;
    if (same_process && known->number == hello.link) return known;
    if (resumes || (same_process && hello.link < known->number)) {
      return Error(Reason::kStaleEpoch, "the link was replaced by a newer one");
    }
    End(known, Error(Reason::kPeerLost, "the agent restarted, or gave up this link"));
  } else if (resumes) {
    return Error(Reason::kStaleEpoch, "this agent gave up the link: begin a new one");
  }
  control::PeerInfo peer;
  peer.address = hello.address;
  peer.epoch = hello.epoch;
  peer.planner_version = hello.planner_version;
  return accepted_[hello.address] = NewLink(std::move(peer), hello.link);
}

absl::Status ControlLinks::Adopt(const LinkPtr& link, const WirePtr& wire,
                                 const control::Hello& hello) {
  Stream& stream = link->streams[Index(hello.priority)];
  if (hello.connection <= stream.connection) {
    return Error(Reason::kAborted, "a later connection of the stream came first");
  }
  stream.connection = hello.connection;
  Drop(link, hello.priority, Error(Reason::kAborted, "the stream has a newer connection"));
  auto up = link->core.Attach(hello.priority, hello.delivered, network_->world().now());
  if (!up.ok()) {
    End(link, up.status());
    return up.status();
  }
  stream.wire = wire;
  stream.end = 1;
  stream.greeted = true;
  SayHello(link, hello.priority);
  if (*up) Up(link);
  PumpAll(link);
  return absl::OkStatus();
}

void ControlLinks::Pump(const LinkPtr& link, Priority priority) {
  Stream& stream = link->streams[Index(priority)];
  const TimePoint now = network_->world().now();
  if (stream.wire != nullptr && stream.greeted) {
    while (auto out = link->core.Next(priority, now)) {
      auto packet = std::make_shared<Packet>();
      packet->seq = out->seq;
      packet->ack = out->ack;
      packet->body = std::move(out->body);
      stream.wire->Send(stream.end, std::move(packet));
    }
  }
  WakeBy(link->core.NextDeadline());
}

void ControlLinks::PumpAll(const LinkPtr& link) {
  if (link->core.state() == control::PeerState::kDown) return;
  for (Priority priority : control::kPriorities) Pump(link, priority);
}

TimePoint ControlLinks::Tick(const LinkPtr& link) {
  const TimePoint now = network_->world().now();
  if (link->core.state() == control::PeerState::kDown) return TimePoint::max();
  if (auto silent = link->core.Silence(now)) {
    End(link, *silent);
    return TimePoint::max();
  }
  TimePoint next = TimePoint::max();
  for (Priority priority : control::kPriorities) {
    Stream& stream = link->streams[Index(priority)];
    if (link->peer.dialled && stream.wire == nullptr) {
      if (stream.retry_at <= now) {
        DialStream(link, priority);
      } else {
        next = std::min(next, stream.retry_at);
      }
    }
    Pump(link, priority);
  }
  return std::min(next, link->core.NextDeadline());
}

void ControlLinks::TickAll() {
  const TimePoint now = network_->world().now();
  wake_at_ = TimePoint::max();
  TimePoint next = TimePoint::max();
  for (auto& [address, target] : targets_) {
    if (target.link != nullptr || leaving_) continue;
    if (target.retry_at > now) {
      next = std::min(next, target.retry_at);
      continue;
    }
    control::PeerInfo peer;
    peer.address = address;
    peer.dialled = true;
    target.link = NewLink(std::move(peer), ++last_number_);
  }
  std::vector<LinkPtr> links;
  for (const auto& [id, link] : links_) links.push_back(link);
  for (const LinkPtr& link : links) next = std::min(next, Tick(link));
  WakeBy(next);
}

void ControlLinks::WakeBy(TimePoint when) {
  if (when == TimePoint::max()) return;
  // Deadlines that lie closer together are served together.
  const TimePoint now = network_->world().now();
  const TimePoint at = when <= now ? now + kMicro : std::max(when, now + kGrid);
  if (at >= wake_at_) return;
  wake_at_ = at;
  network_->world().RunAfter(process_, at - now, [this, at] {
    if (wake_at_ == at) TickAll();
  });
}

}  // namespace baton::sim
