#include "transfer_agent/transport/fake/fake_fabric.h"

#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton::transport {
namespace {

std::string Pack(uint64_t member, ChannelId channel) {
  return absl::StrCat(member, "/", channel.value());
}

bool Unpack(absl::string_view data, uint64_t* member, ChannelId* channel) {
  std::vector<std::string> parts = absl::StrSplit(data, '/');
  uint64_t id = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], member) ||
      !absl::SimpleAtoi(parts[1], &id)) {
    return false;
  }
  *channel = ChannelId(id);
  return true;
}

}  // namespace

std::unique_ptr<FakeTransport> FakeFabric::Join(std::string name) {
  return std::make_unique<FakeTransport>(this, next_member_++, std::move(name));
}

void FakeFabric::Cut(FakeTransport* a, FakeTransport* b) {
  for (auto [one, other] : {std::make_pair(a, b), std::make_pair(b, a)}) {
    std::vector<ChannelId> down;
    for (const auto& [id, channel] : one->channels_) {
      if (channel.other == other->member_) down.push_back(id);
    }
    for (ChannelId id : down) one->Down(id, "the path was cut");
  }
}

void FakeFabric::CutEnd(FakeTransport* of) {
  std::vector<ChannelId> down;
  for (const auto& [id, channel] : of->channels_) down.push_back(id);
  for (ChannelId id : down) of->Down(id, "the path was cut");
}

FakeTransport::FakeTransport(FakeFabric* fabric, uint64_t member, std::string name)
    : fabric_(fabric), member_(member), name_(std::move(name)) {
  capabilities_.name = name_;
  capabilities_.local_fence = true;
  fabric_->members_[member_] = this;
}

FakeTransport::~FakeTransport() { fabric_->members_.erase(member_); }

absl::StatusOr<ExportedMemory> FakeTransport::ExportMemory(absl::Span<const LocalRegion> regions) {
  const MemoryId id(next_memory_++);
  memories_[id].assign(regions.begin(), regions.end());
  return ExportedMemory{id, ""};
}

void FakeTransport::ForgetMemory(MemoryId memory) { memories_.erase(memory); }

absl::StatusOr<RemoteMemoryId> FakeTransport::ImportMemory(PeerId, absl::string_view) {
  return RemoteMemoryId(0);
}

absl::StatusOr<OpenedChannel> FakeTransport::Open(PeerId peer) {
  const ChannelId id(fabric_->next_channel_++);
  channels_[id].peer = peer;
  return OpenedChannel{id, Pack(member_, id)};
}

absl::StatusOr<OpenedChannel> FakeTransport::Accept(PeerId peer, absl::string_view data) {
  uint64_t other = 0;
  ChannelId other_id;
  if (!Unpack(data, &other, &other_id)) return Error(Reason::kBadMessage, "bad channel data");
  const ChannelId id(fabric_->next_channel_++);
  channels_[id] = Channel{peer, other, other_id, {}};
  events_.push_back([id](Events* events) { events->OnChannelUp(id); });
  return OpenedChannel{id, Pack(member_, id)};
}

absl::Status FakeTransport::Complete(ChannelId channel, absl::string_view data) {
  auto it = channels_.find(channel);
  if (it == channels_.end() || !Unpack(data, &it->second.other, &it->second.other_id)) {
    return Error(Reason::kBadMessage, "bad channel data");
  }
  events_.push_back([channel](Events* events) { events->OnChannelUp(channel); });
  return absl::OkStatus();
}

void FakeTransport::Close(ChannelId channel) {
  auto it = channels_.find(channel);
  if (it == channels_.end()) return;
  for (const Segment& segment : it->second.queue) {
    events_.push_back([cookie = segment.cookie](Events* events) {
      events->OnSegmentDone(cookie, absl::CancelledError("the channel was closed"));
    });
  }
  channels_.erase(it);
}

void FakeTransport::Down(ChannelId id, const std::string& why) {
  Close(id);
  events_.push_back(
      [id, why](Events* events) { events->OnChannelDown(id, Error(Reason::kTransport, why)); });
}

void FakeTransport::ForgetPeer(PeerId peer) {
  std::vector<ChannelId> closed;
  for (const auto& [id, channel] : channels_) {
    if (channel.peer == peer) closed.push_back(id);
  }
  for (ChannelId id : closed) Close(id);
  std::vector<OfferId> fenced;
  for (const auto& [key, window] : windows_) {
    if (key.first == peer) fenced.push_back(key.second);
  }
  for (OfferId offer : fenced) Fence(peer, offer);
}

absl::Status FakeTransport::OpenWindow(Window window) {
  const auto key = std::make_pair(window.peer, window.offer);
  if (windows_.contains(key)) return Error(Reason::kBadMessage, "the window is open");
  windows_[key] = std::move(window);
  landed_[key] = 0;
  return absl::OkStatus();
}

void FakeTransport::Fence(PeerId peer, OfferId offer) {
  if (windows_.erase({peer, offer}) == 0) return;
  landed_.erase({peer, offer});
  events_.push_back([peer, offer](Events* events) { events->OnFenced(peer, offer); });
}

Submitted FakeTransport::Submit(ChannelId channel, Segment segment) {
  auto it = channels_.find(channel);
  if (it == channels_.end()) return Submitted::kNoChannel;
  if (it->second.queue.size() >= kSegmentsPerChannelMax) return Submitted::kFull;
  it->second.queue.push_back(segment);
  return Submitted::kAccepted;
}

void FakeTransport::Cancel(ChannelId channel, OfferId offer) {
  auto it = channels_.find(channel);
  if (it == channels_.end()) return;
  std::deque<Segment> kept;
  for (const Segment& segment : it->second.queue) {
    if (segment.offer != offer) {
      kept.push_back(segment);
      continue;
    }
    events_.push_back([cookie = segment.cookie](Events* events) {
      events->OnSegmentDone(cookie, absl::CancelledError("the room was cancelled"));
    });
  }
  it->second.queue.swap(kept);
}

bool FakeTransport::Take(const FakeTransport& source, PeerId peer, const Segment& segment,
                         uint64_t* bytes) {
  auto it = windows_.find({peer, segment.offer});
  if (it == windows_.end()) return false;
  const auto& from = source.memories_.at(segment.memory);
  const auto& to = memories_.at(it->second.memory);
  planner::Cursor cursor = segment.cursor;
  planner::CopyRun runs[32];
  uint64_t& landed = landed_[{peer, segment.offer}];
  while (size_t n = cursor.Next(absl::MakeSpan(runs))) {
    for (size_t i = 0; i < n; ++i) {
      std::memcpy(to[runs[i].target_region].base + runs[i].target_offset,
                  from[runs[i].source_region].base + runs[i].source_offset, runs[i].length);
      landed += runs[i].length;
    }
  }
  *bytes = landed;
  return true;
}

void FakeTransport::Move(Channel& channel, ChannelId) {
  auto other = fabric_->members_.find(channel.other);
  if (other == fabric_->members_.end()) return;
  FakeTransport* target = other->second;
  auto far_end = target->channels_.find(channel.other_id);
  if (far_end == target->channels_.end()) return;
  const PeerId us = far_end->second.peer;
  while (!channel.queue.empty()) {
    const Segment segment = channel.queue.front();
    channel.queue.pop_front();
    uint64_t landed = 0;
    const bool taken = !fabric_->lost_ && target->Take(*this, us, segment, &landed);
    if (!taken) ++target->counters_.stale_dropped;
    if (taken && segment.close_part) {
      target->events_.push_back(
          [id = far_end->first, us, offer = segment.offer, part = segment.part,
           landed](Events* events) { events->OnPart(id, us, offer, part, landed); });
    }
    events_.push_back([cookie = segment.cookie](Events* events) {
      events->OnSegmentDone(cookie, absl::OkStatus());
    });
  }
}

bool FakeTransport::Poll(TimePoint, Events* events) {
  bool worked = false;
  if (!fabric_->held_) {
    for (auto& [id, channel] : channels_) {
      worked |= !channel.queue.empty();
      Move(channel, id);
    }
  }
  std::deque<Event> due;
  due.swap(events_);
  for (Event& event : due) event(events);
  return worked || !due.empty();
}

}  // namespace baton::transport
