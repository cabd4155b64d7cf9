#include "transfer_agent/transport/stream/lanes.h"

#include <algorithm>
#include <utility>

namespace baton::transport {

size_t Job::Take(absl::Span<planner::CopyRun> out, uint64_t bytes_max) {
  size_t count = 0;
  while (bytes_max > 0) {
    if (rest.length == 0 && segment.cursor.Next(absl::MakeSpan(&rest, 1)) == 0) break;
    const uint64_t length = std::min(rest.length, bytes_max);
    planner::CopyRun* last = count > 0 ? &out[count - 1] : nullptr;
    if (last != nullptr && last->source_region == rest.source_region &&
        last->source_offset + last->length == rest.source_offset) {
      last->length += length;
    } else {
      if (count == out.size()) break;
      out[count] = rest;
      out[count++].length = length;
    }
    rest.source_offset += length;
    rest.length -= length;
    bytes_max -= length;
    taken += length;
  }
  return count;
}

bool Lanes::Add(Segment segment) {
  std::unique_ptr<Lane>& lane = lanes_[segment.offer];
  if (lane == nullptr) {
    lane = std::make_unique<Lane>();
    lane->offer = segment.offer;
    lane->part = segment.part;
    lane->attempt = segment.attempt;
  }
  if (lane->part != segment.part || lane->attempt != segment.attempt) return false;
  if (lane->jobs.empty()) ring_.push_back(lane.get());
  lane->jobs.push_back({.segment = std::move(segment), .rest = {}});
  ++jobs_;
  return true;
}

Lane* Lanes::Next() {
  if (ring_.empty()) return nullptr;
  Lane* lane = ring_.front();
  ring_.pop_front();
  return lane;
}

void Lanes::Return(Lane* lane) {
  if (!lane->jobs.empty()) ring_.push_back(lane);
}

void Lanes::PopJob(Lane* lane) {
  lane->jobs.pop_front();
  --jobs_;
}

std::vector<uint64_t> Lanes::Remove(OfferId offer) {
  std::vector<uint64_t> cookies;
  auto it = lanes_.find(offer);
  if (it == lanes_.end()) return cookies;
  for (const Job& job : it->second->jobs) cookies.push_back(job.segment.cookie);
  jobs_ -= cookies.size();
  std::erase(ring_, it->second.get());
  lanes_.erase(it);
  return cookies;
}

std::vector<uint64_t> Lanes::RemoveAll() {
  std::vector<uint64_t> cookies;
  while (!lanes_.empty()) {
    for (uint64_t cookie : Remove(lanes_.begin()->first)) cookies.push_back(cookie);
  }
  return cookies;
}

Frame DataFrame(FrameType type, const Lane& lane, const Job& job, uint64_t offset,
                uint32_t length) {
  return {.type = type,
          .offer = lane.offer,
          .part = static_cast<uint8_t>(lane.part),
          .attempt = lane.attempt,
          .tokens = job.segment.tokens,
          .chunk = job.segment.chunk,
          .offset = offset,
          .length = length};
}

Frame PartFrame(const Lane& lane) {
  return {.type = FrameType::kPart,
          .offer = lane.offer,
          .part = static_cast<uint8_t>(lane.part),
          .attempt = lane.attempt,
          .tokens = {},
          .chunk = {},
          .offset = lane.part_bytes};
}

Frame CancelFrame(OfferId offer) {
  return {.type = FrameType::kCancel, .offer = offer, .tokens = {}, .chunk = {}};
}

}  // namespace baton::transport
