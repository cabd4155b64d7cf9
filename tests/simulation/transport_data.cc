// The data path of the simulated transport: from source runs to target runs.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crc32c.h"
#include "common/reason.h"
#include "tests/simulation/transport_message.h"

namespace baton::sim {

using transport::Events;
using transport::Segment;

namespace {

constexpr uint32_t kFlippedPercent = 2;

}  // namespace

std::shared_ptr<SimTransport::Message> SimTransport::MakeMessage(const Segment& segment) {
  auto message = std::make_shared<Message>();
  message->offer = segment.offer;
  message->part = segment.part;
  message->close_part = segment.close_part;
  message->tokens = segment.tokens;
  message->chunk = segment.chunk;
  message->length = segment.cursor.bytes_total();
  message->cursor = segment.cursor;
  message->pool = memories_.at(segment.memory);
  message->remote = MemoryId(segment.remote.value());
  std::vector<std::byte> bytes;
  if (kind_ != PathKind::kLent || traits_.checksums) ReadRuns(*message, &bytes);
  message->crc = ExtendCrc32c(0, bytes.data(), bytes.size());
  if (kind_ != PathKind::kLent) message->bytes = std::move(bytes);
  return message;
}

void SimTransport::ReadRuns(const Message& message, std::vector<std::byte>* bytes) {
  planner::Cursor cursor = message.cursor;
  planner::CopyRun runs[32];
  while (size_t n = cursor.Next(absl::MakeSpan(runs))) {
    for (size_t i = 0; i < n; ++i) {
      message.pool->Read(runs[i].source_offset, runs[i].length, bytes);
    }
  }
}

bool SimTransport::PumpSource(ChannelId id, Channel* channel) {
  // What a socket takes before it blocks.
  constexpr size_t kFlightsMax = 2;
  bool worked = false;
  while (!channel->queue.empty() && channel->flights.size() < kFlightsMax) {
    Segment segment = std::move(channel->queue.front());
    channel->queue.pop_front();
    std::shared_ptr<Message> message = MakeMessage(segment);
    counters_.bytes_sent += message->length;
    channel->wire->Send(channel->end, message);
    const bool done = kind_ == PathKind::kCopied;
    if (done) SegmentDone(segment.cookie, absl::OkStatus());
    if (kind_ == PathKind::kWritten) ExpectAck(id, last_flight_ + 1);
    channel->flights.push_back(
        {std::move(segment), done ? nullptr : std::move(message), done, ++last_flight_});
    worked = true;
  }
  return worked;
}

void SimTransport::Land(const Arrived& arrived) {
  const ChannelId id = arrived.channel;
  const Message& message = *arrived.message;
  if (kind_ == PathKind::kWritten) {
    // The bytes are there; this is the immediate.
    const WindowKey key{arrived.peer, message.offer};
    auto open = windows_.find(key);
    if (open == windows_.end() || open->second.fence_due.has_value()) return;
    return Raise([this, id, key, part = message.part](Events* events) {
      if (!windows_.contains(key)) return;
      events->OnPart(id, key.first, key.second, part, transport::kBytesUnknown);
    });
  }
  auto channel = channels_.find(id);
  if (channel != channels_.end()) {
    const Channel& from = channel->second;
    // Lent pages are believed only while their agent lives: its engine may use them anew.
    if (kind_ == PathKind::kLent && !from.wire->process(1 - from.end)->alive) return;
    auto ack = std::make_shared<Message>();
    ack->kind = Message::Kind::kAck;
    from.wire->Send(from.end, ack);
  }
  const WindowKey key{arrived.peer, message.offer};
  auto it = windows_.find(key);
  if (it == windows_.end() || it->second.broken) {
    ++counters_.stale_dropped;
    return;
  }
  if (absl::Status status = LandIn(&it->second, id, message); !status.ok()) {
    return Break(key, &it->second, status);
  }
  if (!message.close_part) return;
  Raise([this, id, key, part = message.part, bytes = it->second.bytes](Events* events) {
    if (windows_.contains(key)) events->OnPart(id, key.first, key.second, part, bytes);
  });
}

absl::Status SimTransport::LandIn(OpenedWindow* window, ChannelId id, const Message& message) {
  const transport::Window& open = window->window;
  if (open.tokens != message.tokens) return Error(Reason::kBadMessage, "tokens differ");
  if (window->channel != ChannelId() && window->channel != id) {
    return Error(Reason::kTransport, "the part goes on over another channel");
  }
  window->channel = id;
  std::vector<std::byte> lent;
  if (kind_ == PathKind::kLent) {
    if (!message.cancelled) ReadRuns(message, &lent);
    if (message.cancelled) return Error(Reason::kAborted, "the source cancelled");
  }
  std::vector<std::byte> bytes = kind_ == PathKind::kLent ? std::move(lent) : message.bytes;
  if (open.checksums && !bytes.empty() && traits_.may_flip() &&
      network_->world().random.Chance(kFlippedPercent)) {
    bytes[network_->world().random.Below(bytes.size())] ^= std::byte{1};
    traits_.on_flipped(window->holder);
  }
  planner::Cursor cursor(open.plan, open.tokens, message.chunk, nullptr, &open.pages);
  if (cursor.bytes_total() != bytes.size()) return Error(Reason::kBadMessage, "lengths differ");
  Pool& pool = *memories_.at(open.memory);
  planner::CopyRun runs[32];
  uint64_t at = 0;
  while (size_t n = cursor.Next(absl::MakeSpan(runs))) {
    for (size_t i = 0; i < n; ++i) {
      pool.Write(window->holder, runs[i].target_offset, bytes.data() + at, runs[i].length);
      at += runs[i].length;
    }
  }
  window->bytes += at;
  counters_.bytes_landed += at;
  if (open.checksums && ExtendCrc32c(0, bytes.data(), bytes.size()) != message.crc) {
    return Error(Reason::kCorrupt, "the checksum of a chunk differs");
  }
  return absl::OkStatus();
}

void SimTransport::Break(const WindowKey& key, OpenedWindow* window, const absl::Status& why) {
  window->broken = true;
  Raise([this, key, why](Events* events) {
    if (windows_.contains(key)) events->OnWindowBroken(key.first, key.second, why);
  });
}

absl::Status SimTransport::OpenWindow(transport::Window window) {
  const WindowKey key{window.peer, window.offer};
  if (windows_.contains(key)) return Error(Reason::kBadMessage, "the window is open");
  OpenedWindow opened;
  opened.holder = memories_.at(window.memory)->HolderOfRow(window.pages.aux_row);
  opened.window = std::move(window);
  holders_[key] = opened.holder;
  windows_.emplace(key, std::move(opened));
  return absl::OkStatus();
}

void SimTransport::Closed(const WindowKey& key) {
  if (windows_.erase(key) == 0) return;
  Raise([key](Events* events) { events->OnFenced(key.first, key.second); });
}

}  // namespace baton::sim
