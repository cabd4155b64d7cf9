#include "transfer_agent/transport/tcp/source_datapath.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crc32c.h"
#include "common/log.h"
#include "common/memory_fault.h"
#include "common/reason.h"
#include "transfer_agent/transport/stream/page_gone.h"

namespace baton::transport::tcp {
namespace {

// Batches sent in one Pump: other channels have their turn after it.
constexpr int kBatchesPerPump = 4;
// Bytes of a frame when several offers share the channel.
constexpr uint64_t kSharedFrameBytes = 256 << 10;

// A source hears nothing after the welcome: whatever shows up ends the channel.
absl::Status CheckSilence(int fd) {
  std::byte byte;
  const ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return Error(Reason::kBadMessage, "the target sent bytes on a tcp channel");
  if (n == 0) return Error(Reason::kPeerLost, "the target closed the connection");
  if (errno == EAGAIN || errno == EINTR) return absl::OkStatus();
  return Error(Reason::kTransport, SystemError("recv", errno).message());
}

absl::Status LeavesMemory() { return absl::InternalError("the plan leaves the exported memory"); }

}  // namespace

SourceDatapath::SourceDatapath(const LinkContext& context)
    : context_(context), runs_(SendBatch::kIovecsMax), payload_(SendBatch::kIovecsMax) {}

Submitted SourceDatapath::Submit(Segment segment) {
  if (lanes_.jobs() + batch_.segments() >= kSegmentsPerChannelMax) return Submitted::kFull;
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

void SourceDatapath::End(OfferId offer, const absl::Status& cause) {
  for (uint64_t cookie : lanes_.Remove(offer)) context_.events->SegmentDone(cookie, cause);
  if (batch_.Neutralise(offer, cause, context_.events)) cancels_.push_back(offer);
}

void SourceDatapath::Abandon(const absl::Status& cause) {
  batch_.Abandon(cause, context_.events);
  for (uint64_t cookie : lanes_.RemoveAll()) context_.events->SegmentDone(cookie, cause);
}

absl::StatusOr<Pumped> SourceDatapath::Pump(int fd, Edges edges) {
  if (edges.readable || edges.hangup) {
    absl::Status silent = CheckSilence(fd);
    if (!silent.ok()) return silent;
  }
  for (int i = 0; i < kBatchesPerPump; ++i) {
    if (batch_.empty()) Fill();
    if (batch_.empty()) return Pumped::kBlocked;
    absl::StatusOr<bool> sent = batch_.Send(fd, context_.events, context_.counters);
    if (ReasonOf(sent.status()) == Reason::kBadRegion) {
      End(batch_.offer(), sent.status());
      continue;
    }
    if (!sent.ok()) return sent.status();
    if (!*sent) return Pumped::kBlocked;
  }
  return Pumped::kMore;
}

void SourceDatapath::Fill() {
  while (batch_.HasRoom()) {
    if (!cancels_.empty()) {
      batch_.Add(CancelFrame(cancels_.front()), {});
      cancels_.pop_front();
      continue;
    }
    Lane* lane = lanes_.Next();
    if (lane == nullptr) return;
    AddFrames(lane);
  }
}

void SourceDatapath::AddFrames(Lane* lane) {
  Job& job = lane->jobs.front();
  if (!job.done()) {
    absl::Status added = AddData(lane, &job);
    if (!added.ok()) return End(lane->offer, added);
  }
  if (job.done()) {
    Finish(lane);
  } else {
    lanes_.Return(lane);
  }
}

absl::Status SourceDatapath::AddData(Lane* lane, Job* job) {
  const Memory* memory = context_.memories->Find(job->segment.memory);
  if (memory == nullptr) return LeavesMemory();
  const uint64_t share = lanes_.waiting() > 0 ? kSharedFrameBytes : kFrameLengthMax;
  const uint64_t offset = job->taken;
  const size_t count = job->Take(absl::MakeSpan(runs_.data(), batch_.iovecs_left()),
                                 std::min(share, batch_.bytes_left()));
  if (count == 0) return LeavesMemory();
  const uint32_t length = static_cast<uint32_t>(job->taken - offset);
  for (size_t i = 0; i < count; ++i) {
    const planner::CopyRun& run = runs_[i];
    std::byte* at = memory->At(run.source_region, run.source_offset, run.length);
    if (at == nullptr) return LeavesMemory();
    payload_[i] = {at, run.length};
  }
  Frame frame = DataFrame(FrameType::kData, *lane, *job, offset, length);
  frame.has_crc = context_.checksums;
  if (frame.has_crc) {
    frame.crc = HeaderCrc(frame);
    const void* gone = memory_fault::Touch([&] {
      for (size_t i = 0; i < count; ++i) {
        frame.crc = ExtendCrc32c(frame.crc, payload_[i].iov_base, payload_[i].iov_len);
      }
    });
    if (gone != nullptr) return PageGone("source");
  }
  lane->part_bytes += length;
  batch_.Add(frame, absl::MakeSpan(payload_.data(), count));
  return absl::OkStatus();
}

void SourceDatapath::Finish(Lane* lane) {
  const uint64_t cookie = lane->jobs.front().segment.cookie;
  const bool close = lane->jobs.front().segment.close_part;
  const bool empty = lane->jobs.front().segment.cursor.bytes_total() == 0;
  lanes_.PopJob(lane);
  if (close) batch_.Add(PartFrame(*lane), {});
  if (empty && !close) {
    // It put nothing on the wire.
    context_.events->SegmentDone(cookie, absl::OkStatus());
  } else {
    batch_.AddEnd(cookie);
  }
  if (!close) return lanes_.Return(lane);
  const absl::Status late = absl::InvalidArgumentError("segment: its part is closed");
  for (uint64_t left : lanes_.Remove(lane->offer)) context_.events->SegmentDone(left, late);
}

}  // namespace baton::transport::tcp
