#include "tests/simulation/control_links.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/simulation/control_packet.h"
#include "transfer_agent/control/validate_frame.h"

namespace baton::sim {
namespace {

// Causes that another connection of the same link cannot cure.
bool EndsLink(const absl::Status& why) {
  const Reason reason = ReasonOf(why);
  return reason == Reason::kStaleEpoch || reason == Reason::kBadMessage ||
         reason == Reason::kTooLarge;
}

Backoff NewBackoff(uint64_t seed) { return Backoff(20 * kMilli, kSecond, seed); }

}  // namespace

ControlLinks::ControlLinks(Network* network, ProcessPtr process, std::string address, Epoch epoch,
                           control::PeerEvents* events)
    : network_(network),
      process_(std::move(process)),
      address_(std::move(address)),
      epoch_(epoch),
      events_(events) {
  network_->Listen(address_, process_, [this](const WirePtr& wire) { OnAccepted(wire); });
}

void ControlLinks::Dial(const std::string& address) {
  if (targets_.contains(address)) return;
  const TimePoint now = network_->world().now();
  targets_.emplace(address, Target{nullptr, now, NewBackoff(epoch_.value() + targets_.size())});
  WakeBy(now);
}

absl::Status ControlLinks::Send(PeerId peer, Priority priority, v1::Frame frame) {
  auto it = links_.find(peer);
  if (it == links_.end()) return Error(Reason::kPeerLost, "the peer is down");
  absl::Status status = it->second->core.Push(priority, control::EncodeBody(std::move(frame)));
  if (status.ok()) Pump(it->second, priority);
  return status;
}

void ControlLinks::SetAnnounced(v1::Announce announce) {
  v1::Frame frame;
  *frame.mutable_announce() = std::move(announce);
  announce_ = control::EncodeBody(std::move(frame));
  for (auto& [id, link] : links_) {
    link->core.Announce(announce_);
    Pump(link, Priority::kBulk);
  }
}

void ControlLinks::Leave(const std::string& why) {
  leaving_ = true;
  v1::Frame frame;
  frame.mutable_goodbye()->set_why(why);
  const control::Body body = control::EncodeBody(std::move(frame));
  for (auto& [id, link] : links_) {
    if (!link->core.was_up() || !link->core.Push(Priority::kUrgent, body).ok()) continue;
    Pump(link, Priority::kUrgent);
  }
}

size_t ControlLinks::unacked_bytes() const {
  size_t bytes = 0;
  for (const auto& [id, link] : links_) bytes += link->core.unacked_bytes();
  return bytes;
}

bool ControlLinks::Settled(const std::string& address, Epoch epoch) const {
  auto target = targets_.find(address);
  if (target == targets_.end()) return true;
  const LinkPtr& link = target->second.link;
  // A stream that is dialled again goes on where it was.
  return link != nullptr && link->core.was_up() && link->peer.epoch == epoch;
}

bool ControlLinks::any_up() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& link) { return link.second->core.was_up(); });
}

ControlLinks::LinkPtr ControlLinks::NewLink(control::PeerInfo peer, uint64_t number) {
  peer.id = PeerId(++last_peer_);
  auto link = std::make_shared<Link>(control::PeerCoreOptions());
  for (size_t i = 0; i < 2; ++i) {
    link->streams[i].backoff.emplace(NewBackoff(epoch_.value() + 2 * last_peer_ + i));
  }
  link->peer = std::move(peer);
  link->number = number;
  if (announce_ != nullptr) link->core.Announce(announce_);
  links_[link->peer.id] = link;
  return link;
}

void ControlLinks::DialStream(const LinkPtr& link, Priority priority) {
  Stream& stream = link->streams[Index(priority)];
  Wire::End end;
  end.process = process_;
  // The wire is compared by address, and lives as long as these.
  auto self = std::make_shared<const Wire*>(nullptr);
  end.on_message = [this, link, priority, self](const Payload& payload) {
    OnPacket(link, priority, *self, payload);
  };
  end.on_closed = [this, link, priority, self](const absl::Status& why) {
    OnWireClosed(link, priority, *self, why);
  };
  stream.wire = network_->Connect(link->peer.address, process_->host, std::move(end));
  *self = stream.wire.get();
  stream.end = 0;
  stream.greeted = false;
  ++stream.connection;
  SayHello(link, priority);
}

void ControlLinks::SayHello(const LinkPtr& link, Priority priority) {
  Stream& stream = link->streams[Index(priority)];
  control::Hello hello;
  hello.priority = priority;
  hello.address = address_;
  hello.epoch = epoch_;
  hello.peer_epoch = link->peer.epoch;
  hello.link = link->number;
  hello.connection = stream.connection;
  hello.delivered = link->core.delivered(priority);
  auto packet = std::make_shared<Packet>();
  packet->body = control::EncodeBody(control::MakeHello(hello));
  stream.wire->Send(stream.end, packet);
}

// The answer to a Hello of ours.
absl::Status ControlLinks::OnHello(const LinkPtr& link, Priority priority, const v1::Frame& frame) {
  auto hello = control::ParseHello(frame);
  if (!hello.ok()) return hello.status();
  Stream& stream = link->streams[Index(priority)];
  if (hello->priority != priority || hello->link != link->number ||
      hello->connection != stream.connection) {
    return Error(Reason::kBadMessage, "the peer's hello answers another stream's");
  }
  if (link->peer.epoch != Epoch() && hello->epoch != link->peer.epoch) {
    return Error(Reason::kStaleEpoch, "the agent restarted");
  }
  link->peer.epoch = hello->epoch;
  link->peer.planner_version = hello->planner_version;
  auto up = link->core.Attach(priority, hello->delivered, network_->world().now());
  if (!up.ok()) return up.status();
  stream.greeted = true;
  stream.backoff->Reset();
  if (*up) Up(link);
  PumpAll(link);
  return absl::OkStatus();
}

void ControlLinks::Up(const LinkPtr& link) {
  events_->OnPeerUp(link->peer);
  for (Priority priority : control::kPriorities) {
    Stream& stream = link->streams[Index(priority)];
    const WirePtr wire = stream.wire;
    while (!stream.unread.empty()) {
      const Payload payload = std::move(stream.unread.front());
      stream.unread.pop_front();
      OnPacket(link, priority, wire.get(), payload);
    }
  }
}

void ControlLinks::OnPacket(const LinkPtr& link, Priority priority, const Wire* wire,
                            const Payload& payload) {
  Stream& stream = link->streams[Index(priority)];
  if (stream.wire.get() != wire) return;
  const auto& packet = *static_cast<const Packet*>(payload.get());
  if (!stream.greeted) {
    absl::Status status = OnHello(link, priority, packet.Parse());
    if (!status.ok()) End(link, status);
    return;
  }
  if (!link->core.was_up()) {
    stream.unread.push_back(payload);
    return;
  }
  const TimePoint now = network_->world().now();
  auto fresh = link->core.Receive(priority, packet.seq, packet.ack, packet.body->size(), now);
  if (!fresh.ok()) return End(link, fresh.status());
  if (*fresh && !packet.heartbeat()) {
    v1::Frame frame = packet.Parse();
    absl::Status valid = control::ValidateFrame(frame);
    if (valid.ok() && frame.has_goodbye()) {
      return End(link, Error(Reason::kPeerLost, "the agent has left: " + frame.goodbye().why()));
    }
    if (valid.ok()) {
      events_->OnFrame(link->peer.id, priority, std::move(frame));
    } else {
      events_->OnBadFrame(link->peer.id, frame, valid);
    }
  }
  PumpAll(link);
}

void ControlLinks::OnWireClosed(const LinkPtr& link, Priority priority, const Wire* wire,
                                const absl::Status& why) {
  Stream& stream = link->streams[Index(priority)];
  if (stream.wire.get() != wire) return;
  Drop(link, priority, why);
  if (leaving_) return End(link, why);
  stream.retry_at = network_->world().now() + stream.backoff->Next();
  if (!link->peer.dialled) return;
  WakeBy(stream.retry_at);
  if (EndsLink(why)) End(link, why);
}

void ControlLinks::Drop(const LinkPtr& link, Priority priority, const absl::Status& why) {
  Stream& stream = link->streams[Index(priority)];
  if (stream.wire == nullptr) return;
  link->core.Detach(priority);
  stream.wire->Close(stream.end, why);
  stream.wire = nullptr;
  stream.greeted = false;
  stream.unread.clear();
}

void ControlLinks::End(const LinkPtr& link, const absl::Status& cause) {
  const bool was_up = link->core.was_up();
  if (!link->core.End()) return;
  for (Priority priority : control::kPriorities) Drop(link, priority, cause);
  if (was_up && !leaving_) events_->OnPeerDown(link->peer.id, cause);
  OnLinkDown(link);
}

void ControlLinks::OnLinkDown(const LinkPtr& link) {
  links_.erase(link->peer.id);
  if (!link->peer.dialled) {
    auto found = accepted_.find(link->peer.address);
    if (found != accepted_.end() && found->second == link) accepted_.erase(found);
    return;
  }
  Target& target = targets_.at(link->peer.address);
  if (link->core.was_up()) target.backoff.Reset();
  target.link = nullptr;
  target.retry_at = network_->world().now() + target.backoff.Next();
  WakeBy(target.retry_at);
}

}  // namespace baton::sim
