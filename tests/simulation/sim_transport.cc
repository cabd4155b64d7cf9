#include "tests/simulation/sim_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/simulation/transport_message.h"

namespace baton::sim {

using transport::Events;
using transport::Segment;
using transport::Submitted;

namespace {

// The kernel destroys a dead process' queue pairs before anyone learns of the death.
ProcessPtr DeviceOf(World& world, const ProcessPtr& process) {
  ProcessPtr device = world.NewProcess(process->name + "'s device", process->host);
  process->at_death.push_back([&world, device] { world.Kill(device); });
  return device;
}

}  // namespace

SimTransport::SimTransport(Network* network, ProcessPtr process, std::string address,
                           PathTraits traits, std::function<void()> wake)
    : network_(network),
      process_(std::move(process)),
      wires_at_(traits.kind == PathKind::kWritten ? DeviceOf(network->world(), process_)
                                                  : process_),
      address_(std::move(address)),
      kind_(traits.kind),
      traits_(std::move(traits)),
      wake_(std::move(wake)) {
  capabilities_.name = "sim";
  capabilities_.local_fence = kind_ != PathKind::kWritten;
  capabilities_.checksums = kind_ != PathKind::kWritten;
  network_->Listen(address_, wires_at_, [this](const WirePtr& wire) { OnAccepted(wire); });
}

void SimTransport::Raise(Event event) {
  events_.push_back(std::move(event));
  wake_();
}

absl::StatusOr<transport::ExportedMemory> SimTransport::ExportMemory(
    absl::Span<const transport::LocalRegion>) {
  const MemoryId id(++last_memory_);
  memories_[id] = std::move(next_export_);
  return transport::ExportedMemory{id, absl::StrCat(id.value())};
}

void SimTransport::ForgetMemory(MemoryId memory) { memories_.erase(memory); }

absl::StatusOr<transport::RemoteMemoryId> SimTransport::ImportMemory(PeerId,
                                                                     absl::string_view key) {
  uint32_t id = 0;
  if (!absl::SimpleAtoi(key, &id)) return Error(Reason::kBadMessage, "bad memory key");
  return transport::RemoteMemoryId(id);
}

absl::StatusOr<transport::OpenedChannel> SimTransport::Open(PeerId peer) {
  const ChannelId id(++last_channel_);
  Channel& channel = channels_[id];
  channel.peer = peer;
  channel.source = true;
  return transport::OpenedChannel{id, ""};
}

absl::StatusOr<transport::OpenedChannel> SimTransport::Accept(PeerId peer, absl::string_view) {
  const ChannelId id(++last_channel_);
  channels_[id].peer = peer;
  return transport::OpenedChannel{id, absl::StrCat(address_, " ", id.value())};
}

absl::Status SimTransport::Complete(ChannelId id, absl::string_view data) {
  auto it = channels_.find(id);
  const size_t space = data.find(' ');
  uint64_t other = 0;
  if (it == channels_.end() || space == data.npos ||
      !absl::SimpleAtoi(data.substr(space + 1), &other)) {
    return Error(Reason::kBadMessage, "bad channel data");
  }
  Wire::End end;
  end.process = wires_at_;
  end.on_message = [this, id](const Payload& payload) { OnMessage(id, payload); };
  end.on_closed = [this, id](const absl::Status& why) { OnWireClosed(id, why); };
  Channel& channel = it->second;
  channel.end = 0;
  channel.wire = network_->Connect(std::string(data.substr(0, space)), process_->host, end);
  auto greeting = std::make_shared<Message>();
  greeting->kind = Message::Kind::kGreeting;
  greeting->channel = other;
  channel.wire->Send(0, greeting);
  return absl::OkStatus();
}

void SimTransport::OnAccepted(const WirePtr& wire) {
  auto id = std::make_shared<ChannelId>();
  Wire::End end;
  end.process = wires_at_;
  // The first message says which channel it is.
  end.on_message = [this, id, weak = std::weak_ptr<Wire>(wire)](const Payload& payload) {
    if (*id != ChannelId()) return OnMessage(*id, payload);
    if (WirePtr greeted = weak.lock()) {
      *id = OnGreeting(greeted, *static_cast<const Message*>(payload.get()));
    }
  };
  end.on_closed = [this, id](const absl::Status& why) { OnWireClosed(*id, why); };
  wire->SetEnd(1, std::move(end));
}

ChannelId SimTransport::OnGreeting(const WirePtr& wire, const Message& greeting) {
  const ChannelId id(greeting.channel);
  auto it = channels_.find(id);
  if (it == channels_.end() || it->second.source || it->second.wire != nullptr) {
    wire->Close(1, Error(Reason::kBadMessage, "no such channel"));
    return ChannelId();
  }
  it->second.wire = wire;
  it->second.end = 1;
  it->second.up = true;
  auto welcome = std::make_shared<Message>();
  welcome->kind = Message::Kind::kGreeting;
  wire->Send(1, welcome);
  Raise([id](Events* events) { events->OnChannelUp(id); });
  return id;
}

void SimTransport::OnMessage(ChannelId id, const Payload& payload) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  Channel& channel = it->second;
  auto message = std::static_pointer_cast<const Message>(payload);
  if (!channel.source && kind_ == PathKind::kWritten) return OnWrite(id, *message);
  if (!channel.source) {
    arrived_.push_back({id, channel.peer, std::move(message)});
    return wake_();
  }
  if (message->kind == Message::Kind::kGreeting) {
    channel.up = true;
    return Raise([id](Events* events) { events->OnChannelUp(id); });
  }
  OnAck(&channel);
}

// Of the oldest segment under way.
void SimTransport::OnAck(Channel* channel) {
  if (channel->flights.empty()) return;
  Flight flight = std::move(channel->flights.front());
  channel->flights.pop_front();
  if (!flight.done) SegmentDone(flight.segment.cookie, absl::OkStatus());
  wake_();
}

void SimTransport::SegmentDone(uint64_t cookie, const absl::Status& status) {
  Raise([cookie, status](Events* events) { events->OnSegmentDone(cookie, status); });
}

void SimTransport::EndSegments(Channel* channel, const absl::Status& why) {
  for (Flight& flight : channel->flights) {
    if (flight.message != nullptr) flight.message->cancelled = true;
    if (!flight.done) SegmentDone(flight.segment.cookie, why);
  }
  for (const Segment& segment : channel->queue) SegmentDone(segment.cookie, why);
  channel->flights.clear();
  channel->queue.clear();
}

void SimTransport::OnWireClosed(ChannelId id, const absl::Status& why) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  const absl::Status cause = Error(Reason::kTransport, why.message());
  EndSegments(&it->second, cause);
  channels_.erase(it);
  // What had arrived whole comes before the end; a dead source's lent pages are believed no more.
  std::deque<Arrived> arrived;
  arrived.swap(arrived_);
  for (Arrived& one : arrived) {
    if (one.channel != id) {
      arrived_.push_back(std::move(one));
    } else if (kind_ != PathKind::kLent) {
      Land(one);
    }
  }
  Raise([id, cause](Events* events) { events->OnChannelDown(id, cause); });
}

void SimTransport::Close(ChannelId id) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  EndSegments(&it->second, absl::CancelledError("the channel was closed"));
  if (it->second.wire != nullptr) {
    it->second.wire->Close(it->second.end, Error(Reason::kTransport, "closed"));
  }
  channels_.erase(it);
}

void SimTransport::ForgetPeer(PeerId peer) {
  std::vector<ChannelId> closed;
  for (const auto& [id, channel] : channels_) {
    if (channel.peer == peer) closed.push_back(id);
  }
  for (ChannelId id : closed) Close(id);
  std::vector<OfferId> fenced;
  for (const auto& [key, window] : windows_) {
    if (key.first == peer) fenced.push_back(key.second);
  }
  // Its channels are gone, and with them what it could write.
  for (OfferId offer : fenced) Closed({peer, offer});
}

size_t SimTransport::segments() const {
  size_t segments = 0;
  for (const auto& [id, channel] : channels_) {
    segments += channel.queue.size() + channel.flights.size();
  }
  return segments;
}

Submitted SimTransport::Submit(ChannelId id, Segment segment) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return Submitted::kNoChannel;
  Channel& channel = it->second;
  // Fewer than a real transport takes, so that rooms meet a full channel here.
  constexpr size_t kSegmentsMax = 6;
  if (channel.queue.size() + channel.flights.size() >= kSegmentsMax) return Submitted::kFull;
  channel.queue.push_back(std::move(segment));
  wake_();
  return Submitted::kAccepted;
}

void SimTransport::Cancel(ChannelId id, OfferId offer) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  Channel& channel = it->second;
  const absl::Status why = absl::CancelledError("the room was cancelled");
  for (Flight& flight : channel.flights) {
    // What a device has posted cannot be taken back.
    if (flight.segment.offer != offer || flight.done || kind_ == PathKind::kWritten) continue;
    flight.done = true;
    flight.message->cancelled = true;
    SegmentDone(flight.segment.cookie, why);
  }
  std::deque<Segment> kept;
  for (Segment& segment : channel.queue) {
    if (segment.offer == offer) {
      SegmentDone(segment.cookie, why);
    } else {
      kept.push_back(std::move(segment));
    }
  }
  channel.queue.swap(kept);
}

bool SimTransport::Poll(TimePoint now, Events* events) {
  bool worked = EndLateFences(now);
  std::vector<ChannelId> ids;
  for (const auto& [id, channel] : channels_) {
    if (channel.source && channel.up && !channel.queue.empty()) ids.push_back(id);
  }
  for (ChannelId id : ids) worked |= PumpSource(id, &channels_.at(id));
  while (!arrived_.empty()) {
    const Arrived arrived = std::move(arrived_.front());
    arrived_.pop_front();
    Land(arrived);
    worked = true;
  }
  std::deque<Event> due;
  due.swap(events_);
  for (Event& event : due) event(events);
  return worked || !due.empty();
}

}  // namespace baton::sim
