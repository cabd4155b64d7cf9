#include "tests/simulation/sim_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/simulation/transport_message.h"
#include "transfer_agent/transport/segment_end.h"

namespace baton::sim {

using transport::Events;
using transport::Segment;
using transport::SegmentEnd;
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
  capabilities_.retires = kind_ == PathKind::kWritten;
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

void SimTransport::OnMessage(ChannelId id, size_t link, const Payload& payload) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  Channel& channel = it->second;
  auto message = std::static_pointer_cast<const Message>(payload);
  if (!channel.source && kind_ == PathKind::kWritten) return OnWrite(id, link, *message);
  if (!channel.source) {
    arrived_.push_back({id, channel.peer, std::move(message)});
    return wake_();
  }
  if (message->kind == Message::Kind::kGreeting) {
    channel.up = true;
    return Raise([id](Events* events) { events->OnChannelUp(id); });
  }
  OnAck(&channel, link);
}

// Of the oldest segment under way.
void SimTransport::OnAck(Channel* channel, size_t link) {
  std::deque<Flight>& flights = channel->links[link].flights;
  if (flights.empty()) return;
  const std::shared_ptr<Handed> handed = std::move(flights.front().handed);
  flights.pop_front();
  if (--handed->left == 0) EndHanded(handed.get(), absl::OkStatus());
  wake_();
}

void SimTransport::EndHanded(Handed* handed, const absl::Status& status) {
  if (!std::exchange(handed->done, true)) SegmentDone(handed->cookie, status);
}

void SimTransport::SegmentDone(uint64_t cookie, const absl::Status& status) {
  Raise([cookie, status](Events* events) { events->OnSegmentDone(cookie, status); });
}

void SimTransport::EndSegments(Channel* channel, const absl::Status& why) {
  const bool marks = kind_ == PathKind::kWritten;
  for (Link& link : channel->links) {
    for (Flight& flight : link.flights) {
      if (flight.message != nullptr) flight.message->cancelled = true;
      EndHanded(flight.handed.get(), marks ? Mark(why, SegmentEnd::kDoubt) : why);
    }
    link.flights.clear();
  }
  for (const Segment& segment : channel->queue) {
    SegmentDone(segment.cookie, marks ? Mark(why, SegmentEnd::kFailed) : why);
  }
  channel->queue.clear();
}

void SimTransport::OnWireClosed(ChannelId id, size_t link, const absl::Status& why) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  const absl::Status cause = Error(Reason::kTransport, why.message());
  if (kind_ == PathKind::kWritten) return FailLink(id, link, cause);
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
  if (it != channels_.end()) Destroy(it, absl::CancelledError("the channel was closed"));
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
  unanswered_.erase(peer);
  pauses_.Forget(peer);
}

size_t SimTransport::segments() const {
  size_t segments = 0;
  for (const auto& [id, channel] : channels_) {
    segments += channel.queue.size();
    for (const Link& link : channel.links) segments += link.flights.size();
  }
  return segments;
}

Submitted SimTransport::Submit(ChannelId id, Segment segment) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return Submitted::kNoChannel;
  Channel& channel = it->second;
  // Fewer than a real transport takes, so that rooms meet a full channel here.
  constexpr size_t kSegmentsMax = 6;
  if (channel.queue.size() + channel.links[0].flights.size() >= kSegmentsMax) {
    return Submitted::kFull;
  }
  channel.used = network_->world().now();
  channel.queue.push_back(std::move(segment));
  wake_();
  return Submitted::kAccepted;
}

void SimTransport::Cancel(ChannelId id, OfferId offer) {
  auto it = channels_.find(id);
  if (it == channels_.end()) return;
  Channel& channel = it->second;
  const absl::Status why = absl::CancelledError("the room was cancelled");
  for (Flight& flight : channel.links[0].flights) {
    // What a device has posted cannot be taken back.
    if (flight.handed->offer != offer || flight.handed->done || kind_ == PathKind::kWritten) {
      continue;
    }
    flight.message->cancelled = true;
    EndHanded(flight.handed.get(), why);
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

void SimTransport::LandArrived() {
  while (!arrived_.empty()) {
    const Arrived arrived = std::move(arrived_.front());
    arrived_.pop_front();
    Land(arrived);
  }
}

bool SimTransport::Poll(TimePoint now, Events* events) {
  bool worked = false;
  if (kind_ == PathKind::kWritten) {
    worked = EndLateFences(now);
    worked = CheckRails(now) || worked;
  }
  std::vector<ChannelId> ids;
  for (const auto& [id, channel] : channels_) {
    if (channel.source && channel.up && !channel.queue.empty()) ids.push_back(id);
  }
  for (ChannelId id : ids) worked |= PumpSource(id, &channels_.at(id));
  worked |= !arrived_.empty();
  LandArrived();
  std::deque<Event> due;
  due.swap(events_);
  for (Event& event : due) event(events);
  return worked || !due.empty();
}

}  // namespace baton::sim
