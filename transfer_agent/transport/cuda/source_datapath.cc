#include "transfer_agent/transport/cuda/source_datapath.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "transfer_agent/transport/cuda/message.h"

namespace baton::transport::cuda {

Submitted SourceDatapath::Submit(Segment segment) {
  if (lanes_.jobs() + endings_.size() >= kSegmentsPerChannelMax) return Submitted::kFull;
  const uint64_t cookie = segment.cookie;
  if (segment.part >= kPartsMax || !lanes_.Add(std::move(segment))) {
    context_.events->SegmentDone(
        cookie, absl::InvalidArgumentError("segment: its part or attempt is not its offer's"));
  }
  return Submitted::kAccepted;
}

void SourceDatapath::Cancel(OfferId offer) {
  End(offer, absl::CancelledError("the offer was cancelled"));
}

size_t SourceDatapath::InFlightOf(OfferId offer) const {
  return std::count_if(endings_.begin(), endings_.end(),
                       [offer](const Ending& e) { return e.offer == offer; });
}

void SourceDatapath::End(OfferId offer, const absl::Status& cause) {
  bool told = false;
  for (Ending& ending : endings_) {
    if (ending.offer != offer) continue;
    told = true;
    ending.status = cause;
  }
  // Behind those that are being read: segments of an offer end in their order.
  for (uint64_t cookie : lanes_.Remove(offer)) {
    endings_.push_back({0, offer, cookie, cause});
  }
  if (told) control_.push_back(CancelFrame(offer));
  PassEndings();
}

void SourceDatapath::Abandon(const absl::Status& cause) {
  for (const Ending& ending : endings_) {
    context_.events->SegmentDone(ending.cookie, ending.status.ok() ? cause : ending.status);
  }
  endings_.clear();
  for (uint64_t cookie : lanes_.RemoveAll()) context_.events->SegmentDone(cookie, cause);
}

void SourceDatapath::ForgetMemory(MemoryId memory) {
  if (lent_.erase(memory) == 0) return;
  control_.push_back({.type = FrameType::kForget,
                      .offer = {},
                      .tokens = {},
                      .chunk = {},
                      .memory = memory.value()});
}

absl::StatusOr<Pumped> SourceDatapath::Pump(int fd, Edges edges) {
  if (edges.readable || edges.hangup) {
    absl::Status read = ReadAcks(fd);
    if (!read.ok()) return read;
  }
  PassEndings();
  // A chunk's packets stay together: the target gathers one at a time.
  absl::StatusOr<bool> full = SendWords(fd);
  if (full.ok() && !*full) full = SendControl(fd);
  if (full.ok() && !*full) full = SendChunks(fd);
  if (!full.ok()) return full.status();
  // An ack or room in the socket makes an edge.
  return Pumped::kBlocked;
}

absl::Status SourceDatapath::ReadAcks(int fd) {
  for (;;) {
    absl::StatusOr<shm::Received> received = shm::Receive(fd, &message_);
    if (!received.ok()) return received.status();
    if (*received == shm::Received::kNothing) return absl::OkStatus();
    const Frame& frame = message_.frame;
    if (frame.type != FrameType::kAck || unread_.erase(frame.serial) == 0) {
      return Error(Reason::kBadMessage, absl::StrCat("cuda: acknowledgement of chunk ",
                                                     frame.serial, " of ", last_serial_));
    }
  }
}

void SourceDatapath::PassEndings() {
  absl::flat_hash_set<OfferId> held;
  for (auto it = endings_.begin(); it != endings_.end();) {
    if (unread_.contains(it->serial)) held.insert(it->offer);
    if (held.contains(it->offer)) {
      ++it;
      continue;
    }
    context_.events->SegmentDone(it->cookie, it->status);
    it = endings_.erase(it);
  }
}

absl::StatusOr<bool> SourceDatapath::SendControl(int fd) {
  while (!control_.empty()) {
    absl::StatusOr<bool> sent = shm::Send(fd, control_.front(), {}, {});
    if (!sent.ok()) return sent.status();
    if (!*sent) return true;
    control_.pop_front();
  }
  return false;
}

absl::StatusOr<bool> SourceDatapath::SendWords(int fd) {
  while (sending_.has_value()) {
    Frame frame = sending_->frame;
    frame.offset = sending_->sent;
    frame.count = static_cast<uint32_t>(
        std::min<size_t>(words_.size() - sending_->sent, kPageWordsPerFrameMax));
    absl::StatusOr<bool> sent =
        shm::Send(fd, frame,
                  {reinterpret_cast<const std::byte*>(words_.data() + sending_->sent),
                   frame.count * sizeof(int32_t)},
                  {});
    if (!sent.ok()) return sent.status();
    if (!*sent) return true;
    sending_->sent += frame.count;
    if (sending_->sent == words_.size()) sending_.reset();
  }
  return false;
}

Lane* SourceDatapath::NextLane() {
  for (size_t i = lanes_.waiting(); i > 0; --i) {
    Lane* lane = lanes_.Peek();
    const bool idle = lane->jobs.front().segment.cursor.bytes_total() == 0;
    const bool room = unread_.size() < kChunksInFlightMax;
    if (idle || (room && InFlightOf(lane->offer) < kChunksOfOfferMax)) return lane;
    lanes_.Return(lanes_.Next());
  }
  return nullptr;
}

absl::StatusOr<bool> SourceDatapath::SendChunks(int fd) {
  for (;;) {
    Lane* lane = NextLane();
    if (lane == nullptr) return true;
    const Segment& segment = lane->jobs.front().segment;
    if (segment.cursor.bytes_total() > 0 && !lent_.contains(segment.memory)) {
      absl::StatusOr<bool> lent = Lend(fd, segment.memory);
      if (lent.ok() && !*lent) return true;
      if (!lent.ok() && ReasonOf(lent.status()) == Reason::kPeerLost) return lent.status();
      if (!lent.ok()) {
        End(lane->offer, lent.status());
        continue;
      }
    }
    BeginChunk(lanes_.Next());
    PassEndings();
    absl::StatusOr<bool> full = SendWords(fd);
    if (full.ok() && !*full) full = SendControl(fd);
    if (!full.ok() || *full) return full;
  }
}

absl::StatusOr<bool> SourceDatapath::Lend(int fd, MemoryId memory) {
  const Memory* found = context_.memories->Find(memory);
  if (found == nullptr) return absl::NotFoundError("segment: its memory is not exported");
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  std::vector<MemoryRecord> records;
  for (const LocalRegion& region : found->regions) {
    records.push_back(ToRecord(region));
    if (!records.back().has_descriptor()) continue;
    if (region.dma_buf) {
      fds.push_back(region.share.fd);
      continue;
    }
    // The target gets no way to write.
    absl::StatusOr<UniqueFd> reader = ReopenReadOnly(region.fd);
    if (!reader.ok()) return reader.status();
    fds.push_back(reader->get());
    owned.push_back(*std::move(reader));
  }
  const Frame frame{.type = FrameType::kMemory,
                    .offer = {},
                    .tokens = {},
                    .chunk = {},
                    .count = static_cast<uint32_t>(records.size()),
                    .memory = memory.value()};
  absl::StatusOr<bool> sent = shm::Send(
      fd, frame,
      {reinterpret_cast<const std::byte*>(records.data()), records.size() * sizeof(MemoryRecord)},
      fds);
  if (sent.ok() && *sent) lent_.insert(memory);
  return sent;
}

absl::Status SourceDatapath::CheckChunk(const Segment& segment) {
  const Memory* memory = context_.memories->Find(segment.memory);
  const planner::SidePages* pages = segment.cursor.source_pages();
  if (memory == nullptr || pages == nullptr) {
    return absl::InternalError("segment: its memory is not exported");
  }
  std::vector<uint64_t> sizes;
  for (const LocalRegion& region : memory->regions) sizes.push_back(region.size);
  work_.Read(segment.cursor);
  return work_.CheckSource(*pages, sizes);
}

void SourceDatapath::BeginChunk(Lane* lane) {
  Job& job = lane->jobs.front();
  const Segment& segment = job.segment;
  const uint64_t bytes = segment.cursor.bytes_total();
  const OfferId offer = lane->offer;
  uint64_t serial = 0;
  if (bytes > 0) {
    if (absl::Status fit = CheckChunk(segment); !fit.ok()) return End(offer, fit);
    EncodePages(*segment.cursor.source_pages(), &words_);
    serial = ++last_serial_;
    Frame frame = DataFrame(FrameType::kPages, *lane, job, 0, 0);
    frame.memory = segment.memory.value();
    frame.serial = serial;
    sending_ = Sending{frame};
    unread_.insert(serial);
    lane->part_bytes += bytes;
    context_.counters->bytes_sent += bytes;
  }
  const bool close = segment.close_part;
  endings_.push_back({serial, offer, segment.cookie, absl::OkStatus()});
  if (close) control_.push_back(PartFrame(*lane));
  lanes_.PopJob(lane);
  if (!close) return lanes_.Return(lane);
  const absl::Status late = absl::InvalidArgumentError("segment: its part is closed");
  for (uint64_t left : lanes_.Remove(offer)) context_.events->SegmentDone(left, late);
}

}  // namespace baton::transport::cuda
