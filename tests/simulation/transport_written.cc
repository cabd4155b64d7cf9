// The simulated transport whose sources write by themselves: what a device does, and the fence that
// this takes.
#include <utility>

#include "common/reason.h"
#include "tests/simulation/transport_message.h"

namespace baton::sim {

using transport::Events;

// In the target's device. Who owns the pages is what the name meant last: a write that comes when
// its window is gone hits whoever has them now.
void SimTransport::OnWrite(ChannelId id, size_t link, const Message& message) {
  Channel& channel = channels_.at(id);
  auto ack = std::make_shared<Message>();
  ack->kind = Message::Kind::kAck;
  channel.links[link].wire->Send(channel.links[link].end, ack);
  const WindowKey key{channel.peer, message.offer};
  auto memory = memories_.find(message.remote);
  if (memory == memories_.end()) return;
  uint64_t at = 0;
  for (const planner::CopyRun& run : message.runs) {
    memory->second->Write(holders_[key], run.target_offset, message.bytes.data() + at, run.length);
    at += run.length;
  }
  counters_.bytes_landed += at;
  if (!message.close_part) return;
  arrived_.push_back(
      {id, channel.peer, std::make_shared<const Message>(message), link, channel.links.size()});
  wake_();
}

// A part is whole when each queue pair of the channel that it comes over has closed it.
void SimTransport::OnImmediate(const Arrived& arrived) {
  const WindowKey key{arrived.peer, arrived.message->offer};
  auto it = windows_.find(key);
  if (it == windows_.end() || it->second.fence_due.has_value() || it->second.whole) {
    ++counters_.stale_dropped;
    return;
  }
  OpenedWindow& window = it->second;
  if (window.channel != arrived.channel) window.closed = 0;
  window.channel = arrived.channel;
  window.closed |= 1u << arrived.link;
  window.whole = window.closed == (1u << arrived.links) - 1;
  if (!window.whole) return;
  if (arrived.message->attempt > 0) traits_.on_moved();
  Raise([id = arrived.channel, key, part = arrived.message->part, this](Events* events) {
    if (!windows_.contains(key)) return;
    events->OnPart(id, key.first, key.second, part, transport::kBytesUnknown);
  });
}

// A write that nobody acknowledges is given up, and the channel with it.
void SimTransport::ExpectAck(ChannelId id, size_t link, uint64_t flight) {
  network_->world().RunAfter(wires_at_, kRetryHorizon, [this, id, link, flight] {
    auto it = channels_.find(id);
    if (it == channels_.end() || it->second.links[link].flights.empty()) return;
    if (it->second.links[link].flights.front().number > flight) return;
    FailLink(id, link, Error(Reason::kTransport, "no acknowledgement: check cable and peer"));
  });
}

void SimTransport::Fence(PeerId peer, OfferId offer) {
  if (kind_ != PathKind::kWritten) return Closed({peer, offer});
  auto it = windows_.find({peer, offer});
  if (it == windows_.end() || it->second.fence_due.has_value()) return;
  it->second.fence_due = network_->world().now() + kFenceTime;
  network_->world().RunAfter(process_, kFenceTime, [this] { wake_(); });
}

void SimTransport::FenceDrained(PeerId peer, OfferId offer) {
  Closed({peer, offer});
  auto late = unanswered_.find(peer);
  if (late == unanswered_.end()) return;
  late->second.erase(offer);
  if (late->second.empty()) unanswered_.erase(late);
}

// Who does not answer writes no more: its queue pairs are destroyed.
bool SimTransport::EndLateFences(TimePoint now) {
  std::set<PeerId> late;
  for (const auto& [key, window] : windows_) {
    if (window.fence_due.has_value() && *window.fence_due <= now) late.insert(key.first);
  }
  for (PeerId peer : late) {
    // Parts that are in already count.
    LandArrived();
    DestroyChannels(peer, Error(Reason::kTransport, "the source has not answered a fence"));
    std::vector<WindowKey> fenced;
    for (const auto& [key, window] : windows_) {
      if (key.first == peer && window.fence_due.has_value()) fenced.push_back(key);
    }
    for (const WindowKey& key : fenced) {
      // Of another fence no answer is late yet.
      if (*windows_.at(key).fence_due <= now) unanswered_[peer].insert(key.second);
      Closed(key);
    }
  }
  return !late.empty();
}

void SimTransport::DestroyChannels(PeerId peer, const absl::Status& cause) {
  std::vector<ChannelId> destroyed;
  for (const auto& [id, channel] : channels_) {
    if (channel.peer == peer && !channel.source) destroyed.push_back(id);
  }
  for (ChannelId id : destroyed) FailChannel(id, cause);
}

}  // namespace baton::sim
