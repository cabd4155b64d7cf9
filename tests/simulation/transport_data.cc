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
  message->attempt = segment.attempt;
  message->tokens = segment.tokens;
  message->chunk = segment.chunk;
  message->length = segment.cursor.bytes_total();
  message->cursor = segment.cursor;
  message->pool = memories_.at(segment.memory);
  message->remote = MemoryId(segment.remote.value());
  std::vector<std::byte> bytes;
  if (kind_ != PathKind::kLent || traits_.checksums) {
    ReadRuns(*message, &bytes, kind_ == PathKind::kWritten ? &message->runs : nullptr);
  }
  message->crc = ExtendCrc32c(0, bytes.data(), bytes.size());
  if (kind_ != PathKind::kLent) message->bytes = std::move(bytes);
  return message;
}

void SimTransport::ReadRuns(const Message& message, std::vector<std::byte>* bytes,
                            std::vector<planner::CopyRun>* all) {
  planner::Cursor cursor = message.cursor;
  planner::CopyRun runs[32];
  while (size_t n = cursor.Next(absl::MakeSpan(runs))) {
    for (size_t i = 0; i < n; ++i) {
      message.pool->Read(runs[i].source_offset, runs[i].length, bytes);
    }
    if (all != nullptr) all->insert(all->end(), runs, runs + n);
  }
}

bool SimTransport::PumpSource(ChannelId id, Channel* channel) {
  // What a socket takes before it blocks.
  constexpr size_t kFlightsMax = 2;
  auto free = [](const Link& link) { return link.flights.size() < kFlightsMax; };
  bool worked = false;
  for (std::vector<Link>& links = channel->links; !channel->queue.empty(); worked = true) {
    const size_t lightest = std::min_element(links.begin(), links.end(),
                                             [](const Link& a, const Link& b) {
                                               return a.flights.size() < b.flights.size();
                                             }) -
                            links.begin();
    // The end of a part goes over each of them.
    const bool closes = channel->queue.front().close_part;
    if (!free(links[lightest]) || (closes && !std::all_of(links.begin(), links.end(), free))) break;
    const Segment segment = std::move(channel->queue.front());
    channel->queue.pop_front();
    std::shared_ptr<Message> message = MakeMessage(segment);
    counters_.bytes_sent += message->length;
    auto handed = std::make_shared<Handed>();
    handed->cookie = segment.cookie;
    handed->offer = segment.offer;
    for (size_t i = 0; closes && i < links.size(); ++i) {
      if (i == lightest) continue;
      auto end = std::make_shared<Message>();
      end->offer = segment.offer;
      end->part = segment.part;
      end->close_part = true;
      end->attempt = segment.attempt;
      end->remote = message->remote;
      SendOver(id, channel, i, handed, std::move(end));
    }
    SendOver(id, channel, lightest, handed, std::move(message));
    if (kind_ == PathKind::kCopied) EndHanded(handed.get(), absl::OkStatus());
  }
  return worked;
}

void SimTransport::SendOver(ChannelId id, Channel* channel, size_t index,
                            const std::shared_ptr<Handed>& handed,
                            std::shared_ptr<Message> message) {
  Link& link = channel->links[index];
  link.wire->Send(link.end, message);
  ++handed->left;
  link.flights.push_back({handed, std::move(message), ++last_flight_});
  if (kind_ == PathKind::kWritten) ExpectAck(id, index, last_flight_);
}

void SimTransport::Land(const Arrived& arrived) {
  const ChannelId id = arrived.channel;
  const Message& message = *arrived.message;
  if (kind_ == PathKind::kWritten) return OnImmediate(arrived);
  auto channel = channels_.find(id);
  if (channel != channels_.end()) {
    const Link& from = channel->second.links[0];
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
  std::vector<std::byte> bytes;
  if (kind_ != PathKind::kLent) {
    bytes = message.bytes;
  } else {
    if (!message.cancelled) ReadRuns(message, &bytes);
    if (message.cancelled) return Error(Reason::kAborted, "the source cancelled");
  }
  if (open.checksums && !bytes.empty() && traits_.may_flip() &&
      network_->world().random.Chance(kFlippedPercent)) {
    bytes[network_->world().random.Below(bytes.size())] ^= std::byte{1};
    traits_.on_flipped(window->holder);
  }
  planner::Cursor cursor(open.plan, open.tokens, message.chunk, nullptr, &open.pages);
  if (cursor.bytes_total() != bytes.size()) return Error(Reason::kBadMessage, "lengths differ");
  if (!bytes.empty() && window->order.GoesBack(message.chunk).has_value()) {
    return Error(Reason::kBadChunk, "a chunk does not go on from the one before it");
  }
  if (!bytes.empty()) window->order.Add(message.chunk);
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
