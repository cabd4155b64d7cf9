// The simulated transport whose sources write by themselves: what a device does, and the fence that
// this takes.
#include <utility>

#include "common/reason.h"
#include "tests/simulation/transport_message.h"

namespace baton::sim {

using transport::Events;

// In the target's device. Who owns the pages is what the name meant last: a write that comes when
// its window is gone hits whoever has them now.
void SimTransport::OnWrite(ChannelId id, const Message& message) {
  Channel& channel = channels_.at(id);
  auto ack = std::make_shared<Message>();
  ack->kind = Message::Kind::kAck;
  channel.wire->Send(channel.end, ack);
  const WindowKey key{channel.peer, message.offer};
  auto memory = memories_.find(message.remote);
  if (memory == memories_.end()) return;
  planner::Cursor cursor = message.cursor;
  planner::CopyRun runs[32];
  uint64_t at = 0;
  while (size_t n = cursor.Next(absl::MakeSpan(runs))) {
    for (size_t i = 0; i < n; ++i) {
      memory->second->Write(holders_[key], runs[i].target_offset, message.bytes.data() + at,
                            runs[i].length);
      at += runs[i].length;
    }
  }
  counters_.bytes_landed += at;
  if (!message.close_part) return;
  arrived_.push_back({id, channel.peer, std::make_shared<const Message>(message)});
  wake_();
}

// A write that nobody acknowledges is given up, and the connection with it.
void SimTransport::ExpectAck(ChannelId id, uint64_t flight) {
  network_->world().RunAfter(wires_at_, kRetryHorizon, [this, id, flight] {
    auto it = channels_.find(id);
    if (it == channels_.end() || it->second.flights.empty()) return;
    if (it->second.flights.front().number > flight) return;
    it->second.wire->Break();
  });
}

void SimTransport::Fence(PeerId peer, OfferId offer) {
  if (kind_ != PathKind::kWritten) return Closed({peer, offer});
  auto it = windows_.find({peer, offer});
  if (it == windows_.end() || it->second.fence_due.has_value()) return;
  it->second.fence_due = network_->world().now() + kFenceTime;
  network_->world().RunAfter(process_, kFenceTime, [this] { wake_(); });
}

void SimTransport::FenceDrained(PeerId peer, OfferId offer) { Closed({peer, offer}); }

// Who does not answer writes no more: its queue pairs are destroyed.
bool SimTransport::EndLateFences(TimePoint now) {
  std::vector<PeerId> late;
  for (const auto& [key, window] : windows_) {
    if (window.fence_due.has_value() && *window.fence_due <= now) late.push_back(key.first);
  }
  for (PeerId peer : late) {
    DestroyChannels(peer, Error(Reason::kTransport, "the source has not answered a fence"));
    std::vector<WindowKey> fenced;
    for (const auto& [key, window] : windows_) {
      if (key.first == peer && window.fence_due.has_value()) fenced.push_back(key);
    }
    for (const WindowKey& key : fenced) Closed(key);
  }
  return !late.empty();
}

void SimTransport::DestroyChannels(PeerId peer, const absl::Status& cause) {
  std::vector<ChannelId> destroyed;
  for (const auto& [id, channel] : channels_) {
    if (channel.peer == peer && !channel.source) destroyed.push_back(id);
  }
  for (ChannelId id : destroyed) {
    Close(id);
    Raise([id, cause](Events* events) { events->OnChannelDown(id, cause); });
  }
}

}  // namespace baton::sim
