#include "tests/simulation/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "common/reason.h"

namespace baton::sim {
namespace {

// How often a sender tries again over a cut.
constexpr Duration kRetransmit = 20 * kMilli;
// How long a fabric keeps what was under way when a queue pair broke, at most.
constexpr Duration kHeld = 40 * kMilli;
// A dialler gives up.
constexpr Duration kConnectTime = kSecond;

}  // namespace

void Wire::Send(int from, Payload payload) {
  if (ends_[from].closed) return;
  Enqueue(1 - from, {TimePoint(), std::move(payload), absl::OkStatus()});
}

void Wire::Close(int from, const absl::Status& why) {
  if (ends_[from].closed) return;
  ends_[from].closed = true;
  ends_[from].inbox.clear();
  Enqueue(1 - from, {TimePoint(), nullptr, why});
}

void Wire::Enqueue(int to, Packet packet) {
  Side& side = ends_[to];
  if (side.closed || broken_) return;
  const ProcessPtr& other = ends_[1 - to].end.process;
  if (accepted_) {
    const Duration latency = network_->Latency(other->host, side.end.process->host);
    packet.due = network_->world().now() + latency + drag_;
    if (!side.inbox.empty()) packet.due = std::max(packet.due, side.inbox.back().due);
  }
  side.inbox.push_back(std::move(packet));
  if (accepted_ && !side.pumping) Schedule(to, side.inbox.front().due);
}

void Wire::Schedule(int to, TimePoint when) {
  ends_[to].pumping = true;
  network_->world().At(when, [self = shared_from_this(), to] { self->Pump(to); });
}

void Wire::Pump(int to) {
  Side& side = ends_[to];
  side.pumping = false;
  const TimePoint now = network_->world().now();
  if (side.closed || side.inbox.empty()) return;
  if (!PathIsWhole()) return Schedule(to, now + kRetransmit);
  while (!side.inbox.empty() && side.inbox.front().due <= now) {
    Packet packet = std::move(side.inbox.front());
    side.inbox.pop_front();
    Deliver(to, std::move(packet));
    if (side.closed) return;
  }
  if (!side.inbox.empty() && !side.pumping) Schedule(to, side.inbox.front().due);
}

void Wire::Deliver(int to, Packet packet) {
  auto run = [self = shared_from_this(), to, packet = std::move(packet)] {
    Side& side = self->ends_[to];
    if (side.closed) return;
    if (packet.payload != nullptr) return side.end.on_message(packet.payload);
    side.closed = true;
    side.inbox.clear();
    if (side.end.on_closed) side.end.on_closed(packet.why);
  };
  network_->world().Run(ends_[to].end.process, std::move(run));
}

bool Wire::PathIsWhole() const {
  const uint32_t one = ends_[0].end.process->host;
  const uint32_t other = ends_[1].end.process->host;
  if (!network_->Reachable(one, other)) return false;
  return !rails_.has_value() ||
         (network_->RailIsUp(one, (*rails_)[0]) && network_->RailIsUp(other, (*rails_)[1]));
}

void Wire::Vanish(int end) {
  ends_[end].closed = true;
  ends_[end].inbox.clear();
}

void Wire::Break(bool half_open) {
  if (broken_) return;
  broken_ = true;
  World& world = network_->world();
  const bool one_end = half_open || rails_.has_value();
  if (!rails_.has_value()) ends_[1].inbox.clear();
  // What the fabric holds arrives when it likes, in order.
  const Duration held = world.random.Between(Duration(0), kHeld);
  for (Packet& packet : ends_[1].inbox) packet.due += held;
  for (int end = 0; end < (one_end ? 1 : 2); ++end) {
    ends_[end].inbox.clear();
    if (ends_[end].closed || ends_[end].end.process == nullptr) continue;
    Packet lost{TimePoint(), nullptr, Error(Reason::kPeerLost, "the connection broke")};
    world.After(world.random.Between(kMicro, 30 * kMilli),
                [self = shared_from_this(), end, lost] { self->Deliver(end, lost); });
  }
}

void Wire::OnProcessDeath(int end) {
  Close(end, Error(Reason::kPeerLost, "the process at the other end ended"));
}

Network::~Network() {
  for (const auto& weak : wires_) {
    WirePtr wire = weak.lock();
    if (wire == nullptr) continue;
    for (Wire::Side& side : wire->ends_) {
      side.inbox.clear();
      const Wire::End callbacks = std::exchange(side.end, {});
    }
  }
}

Duration Network::Latency(uint32_t from, uint32_t to) {
  const Duration base = from == to ? 10 * kMicro : 50 * kMicro;
  const uint32_t factor = std::max(slow_[from], slow_[to]);
  return factor * (base + world_->random.Between(Duration(0), 2 * base));
}

void Network::SetCut(uint32_t a, uint32_t b, bool cut) {
  if (cut_[a][b] && !cut) healed_[a] = healed_[b] = world_->now();
  cut_[a][b] = cut_[b][a] = cut;
  changed_ = world_->now();
}

void Network::SetSlow(uint32_t host, uint32_t factor) {
  slow_[host] = factor;
  changed_ = world_->now();
}

bool Network::Calm(TimePoint since) const {
  constexpr Duration kDialsAgain = 2 * kSecond;
  if (changed_ >= since || broke_ + kDialsAgain >= since) return false;
  for (const auto& row : cut_) {
    if (std::find(row.begin(), row.end(), true) != row.end()) return false;
  }
  return std::all_of(slow_.begin(), slow_.end(), [](uint32_t factor) { return factor == 1; });
}

void Network::SetRail(uint32_t host, uint32_t rail, bool up) {
  if (up) {
    rails_down_.erase({host, rail});
  } else {
    rails_down_.emplace(std::make_pair(host, rail), world_->now());
  }
}

void Network::Listen(const std::string& address, ProcessPtr process, Accept accept) {
  const uint32_t host = process->host;
  listeners_[address] = {std::move(process), std::move(accept), host};
}

WirePtr Network::Connect(const std::string& address, uint32_t host, Wire::End dialler) {
  auto wire = std::make_shared<Wire>(this);
  wires_.push_back(wire);
  wire->address_ = address;
  if (drag_ > Duration(0) && absl::EndsWith(address, drag_suffix_)) wire->drag_ = drag_;
  dialler.process->at_death.push_back([weak = std::weak_ptr<Wire>(wire)] {
    if (WirePtr held = weak.lock()) held->OnProcessDeath(0);
  });
  wire->SetEnd(0, std::move(dialler));
  const TimePoint since = world_->now();
  world_->After(Latency(host, host) + kMicro,
                [this, wire, address, host, since] { Establish(wire, address, host, since); });
  return wire;
}

void Network::Establish(const WirePtr& wire, const std::string& address, uint32_t host,
                        TimePoint since) {
  if (wire->ends_[0].closed || wire->broken_) return;
  auto refuse = [&](const char* why) {
    wire->Deliver(0, {TimePoint(), nullptr, Error(Reason::kPeerLost, why)});
  };
  auto found = listeners_.find(address);
  if (found == listeners_.end()) return refuse("nobody listens");
  Listener& listener = found->second;
  wire->ends_[1].end.process = listener.process;
  if (!wire->PathIsWhole()) {
    if (world_->now() - since > kConnectTime) return refuse("no route");
    return world_->After(
        kRetransmit, [this, wire, address, host, since] { Establish(wire, address, host, since); });
  }
  if (!listener.process->alive) return refuse("connection refused");
  wire->accepted_ = true;
  listener.process->at_death.push_back([weak = std::weak_ptr<Wire>(wire)] {
    if (WirePtr held = weak.lock()) held->OnProcessDeath(1);
  });
  world_->Run(listener.process, [accept = listener.accept, wire] { accept(wire); });
  Wire::Side& side = wire->ends_[1];
  for (Wire::Packet& packet : side.inbox) {
    packet.due = world_->now() + Latency(host, listener.host);
  }
  if (!side.inbox.empty()) wire->Schedule(1, side.inbox.front().due);
}

void Network::BreakBetween(uint32_t a, uint32_t b, uint32_t percent, const std::string& suffix,
                           bool half_open) {
  std::erase_if(wires_, [](const auto& weak) { return weak.expired(); });
  std::vector<WirePtr> hit;
  for (const auto& weak : wires_) {
    WirePtr wire = weak.lock();
    if (wire == nullptr || !wire->accepted_ || wire->broken_) continue;
    if (!absl::EndsWith(wire->address_, suffix)) continue;
    const uint32_t one = wire->process(0)->host;
    const uint32_t other = wire->process(1)->host;
    const bool between = (one == a && other == b) || (one == b && other == a);
    if (between && world_->random.Chance(percent)) hit.push_back(std::move(wire));
  }
  broke_ = world_->now();
  for (const WirePtr& wire : hit) wire->Break(half_open);
}

void Network::Datagram(uint32_t from, const ProcessPtr& to, Action action) {
  world_->After(Latency(from, to->host), [this, from, to, action = std::move(action)]() mutable {
    if (!to->alive) return;
    if (Reachable(from, to->host)) return world_->Run(to, std::move(action));
    world_->After(kRetransmit, [this, from, to, action = std::move(action)]() mutable {
      Datagram(from, to, std::move(action));
    });
  });
}

}  // namespace baton::sim
