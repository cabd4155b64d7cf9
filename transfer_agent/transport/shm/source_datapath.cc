#include "transfer_agent/transport/shm/source_datapath.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crc32c.h"
#include "common/memfd.h"
#include "common/memory_fault.h"
#include "common/reason.h"
#include "transfer_agent/transport/stream/page_gone.h"

namespace baton::transport::shm {
namespace {

absl::Status LeavesMemory() { return absl::InternalError("the plan leaves the exported memory"); }

}  // namespace

SourceDatapath::SourceDatapath(const LinkContext& context)
    : context_(context), pieces_(kRunsPerFrameMax), runs_(kRunsPerFrameMax) {}

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

uint64_t SourceDatapath::LastInFlight(OfferId offer) const {
  for (size_t i = in_flight_.size(); i > 0; --i) {
    if (in_flight_[i - 1] == offer) return last_read_ + i;
  }
  return 0;
}

void SourceDatapath::End(OfferId offer, const absl::Status& cause) {
  bool begun = false;
  for (Ending& ending : endings_) {
    if (ending.offer != offer) continue;
    begun = true;
    ending.status = cause;
    ending.close.reset();
  }
  const uint64_t last = LastInFlight(offer);
  for (uint64_t cookie : lanes_.Remove(offer)) {
    if (last == 0) {
      context_.events->SegmentDone(cookie, cause);
      continue;
    }
    // Which of its bytes are in flight is not recorded: it waits for all of the offer's.
    auto at = std::find_if(endings_.begin(), endings_.end(),
                           [last](const Ending& e) { return e.serial > last; });
    endings_.insert(at, {last, offer, cookie, cause, std::nullopt});
  }
  if (begun || last != 0) control_.push_back(CancelFrame(offer));
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
  absl::StatusOr<bool> full = SendControl(fd);
  if (full.ok() && !*full) full = SendBatches(fd);
  if (!full.ok()) return full.status();
  // An ack or room in the socket makes an edge.
  return Pumped::kBlocked;
}

absl::Status SourceDatapath::ReadAcks(int fd) {
  for (;;) {
    absl::StatusOr<Received> received = Receive(fd, &message_);
    if (!received.ok()) return received.status();
    if (*received == Received::kNothing) return absl::OkStatus();
    absl::Status status = OnAck(message_.frame);
    if (!status.ok()) return status;
  }
}

absl::Status SourceDatapath::OnAck(const Frame& frame) {
  if (frame.type != FrameType::kAck || frame.serial < last_read_ || frame.serial > last_built_) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("shm: acknowledgement of batch ", frame.serial, " of ", last_built_));
  }
  in_flight_.erase(in_flight_.begin(), in_flight_.begin() + (frame.serial - last_read_));
  last_read_ = frame.serial;
  return absl::OkStatus();
}

void SourceDatapath::PassEndings() {
  while (!endings_.empty() && endings_.front().serial <= last_read_) {
    Ending& ending = endings_.front();
    if (ending.close.has_value()) control_.push_back(*ending.close);
    context_.events->SegmentDone(ending.cookie, ending.status);
    endings_.pop_front();
  }
}

absl::StatusOr<bool> SourceDatapath::SendControl(int fd) {
  while (!control_.empty()) {
    absl::StatusOr<bool> sent = Send(fd, control_.front(), {}, {});
    if (!sent.ok()) return sent.status();
    if (!*sent) return true;
    control_.pop_front();
  }
  return false;
}

absl::StatusOr<bool> SourceDatapath::SendBatches(int fd) {
  for (;;) {
    if (waiting_.has_value()) {
      const auto body = absl::MakeConstSpan(runs_.data(), waiting_->count);
      absl::StatusOr<bool> sent = Send(
          fd, *waiting_,
          {reinterpret_cast<const std::byte*>(body.data()), body.size() * sizeof(RunRecord)}, {});
      if (!sent.ok()) return sent.status();
      if (!*sent) return true;
      waiting_.reset();
    }
    Lane* lane = in_flight_.size() < kBatchesInFlightMax ? lanes_.Peek() : nullptr;
    if (lane == nullptr) return true;
    const MemoryId memory = lane->jobs.front().segment.memory;
    if (!lane->jobs.front().done() && !lent_.contains(memory)) {
      absl::StatusOr<bool> lent = Lend(fd, memory);
      if (lent.ok() && !*lent) return true;
      if (!lent.ok() && ReasonOf(lent.status()) == Reason::kPeerLost) return lent.status();
      if (!lent.ok()) {
        End(lane->offer, lent.status());
        continue;
      }
    }
    BuildBatch(lanes_.Next());
    PassEndings();
    absl::StatusOr<bool> full = SendControl(fd);
    if (!full.ok() || *full) return full;
  }
}

absl::StatusOr<bool> SourceDatapath::Lend(int fd, MemoryId memory) {
  const Memory* found = context_.memories->Find(memory);
  if (found == nullptr) return absl::NotFoundError("segment: its memory is not exported");
  std::vector<UniqueFd> owned;
  std::vector<int> fds;
  std::vector<uint64_t> sizes;
  for (const LocalRegion& region : found->regions) {
    // The target gets no way to write.
    absl::StatusOr<UniqueFd> reader = ReopenReadOnly(region.fd);
    if (!reader.ok()) return reader.status();
    fds.push_back(reader->get());
    owned.push_back(*std::move(reader));
    sizes.push_back(region.size);
  }
  const Frame frame{.type = FrameType::kMemory,
                    .offer = {},
                    .tokens = {},
                    .chunk = {},
                    .count = static_cast<uint32_t>(fds.size()),
                    .memory = memory.value()};
  absl::StatusOr<bool> sent = Send(
      fd, frame,
      {reinterpret_cast<const std::byte*>(sizes.data()), sizes.size() * sizeof(uint64_t)}, fds);
  if (sent.ok() && *sent) lent_.insert(memory);
  return sent;
}

void SourceDatapath::BuildBatch(Lane* lane) {
  Job& job = lane->jobs.front();
  if (!job.done()) {
    absl::Status added = AddRuns(lane, &job);
    if (!added.ok()) return End(lane->offer, added);
  }
  if (job.done()) {
    Finish(lane);
  } else {
    lanes_.Return(lane);
  }
}

absl::Status SourceDatapath::AddRuns(Lane* lane, Job* job) {
  const Memory* memory = context_.memories->Find(job->segment.memory);
  if (memory == nullptr) return LeavesMemory();
  const uint64_t offset = job->taken;
  const size_t count = job->Take(absl::MakeSpan(pieces_), kBatchLengthMax);
  if (count == 0) return LeavesMemory();
  Frame frame =
      DataFrame(FrameType::kRuns, *lane, *job, offset, static_cast<uint32_t>(job->taken - offset));
  frame.count = static_cast<uint32_t>(count);
  frame.memory = job->segment.memory.value();
  frame.serial = last_built_ + 1;
  frame.has_crc = context_.checksums;
  if (frame.has_crc) frame.crc = HeaderCrc(frame);
  for (size_t i = 0; i < count; ++i) {
    const planner::CopyRun& piece = pieces_[i];
    const std::byte* at = memory->At(piece.source_region, piece.source_offset, piece.length);
    if (at == nullptr) return LeavesMemory();
    runs_[i] = {
        .offset = piece.source_offset, .length = piece.length, .region = piece.source_region};
    if (!frame.has_crc) continue;
    const void* gone =
        memory_fault::Touch([&] { frame.crc = ExtendCrc32c(frame.crc, at, piece.length); });
    if (gone != nullptr) return PageGone("source");
  }
  lane->part_bytes += frame.length;
  context_.counters->bytes_sent += frame.length;
  waiting_ = frame;
  ++last_built_;
  in_flight_.push_back(lane->offer);
  return absl::OkStatus();
}

void SourceDatapath::Finish(Lane* lane) {
  const OfferId offer = lane->offer;
  const uint64_t cookie = lane->jobs.front().segment.cookie;
  const bool close = lane->jobs.front().segment.close_part;
  lanes_.PopJob(lane);
  endings_.push_back({last_built_, offer, cookie, absl::OkStatus(),
                      close ? std::optional<Frame>(PartFrame(*lane)) : std::nullopt});
  if (!close) return lanes_.Return(lane);
  const absl::Status late = absl::InvalidArgumentError("segment: its part is closed");
  for (uint64_t left : lanes_.Remove(offer)) context_.events->SegmentDone(left, late);
}

}  // namespace baton::transport::shm
