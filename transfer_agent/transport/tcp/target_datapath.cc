#include "transfer_agent/transport/tcp/target_datapath.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crc32c.h"
#include "common/memory_fault.h"
#include "common/reason.h"
#include "transfer_agent/transport/stream/page_gone.h"

namespace baton::transport::tcp {
namespace {

constexpr size_t kIovecsMax = 1024;  // IOV_MAX; the last is kept for the next header
constexpr size_t kScratchBytes = 64 << 10;
constexpr int kReadsPerPump = 8;
constexpr uint64_t kBytesPerPump = 4 << 20;

}  // namespace

TargetDatapath::TargetDatapath(const LinkContext& context)
    : context_(context), iovecs_(kIovecsMax) {}

void TargetDatapath::DropWindow(const OpenedWindow* window) {
  if (landing_.window() == window) landing_.Drop();
  if (suspect_.has_value() && suspect_->offer == window->window.offer) suspect_.reset();
}

absl::StatusOr<Pumped> TargetDatapath::Pump(int fd, Edges edges) {
  hangup_ |= edges.hangup;
  uint64_t bytes = 0;
  for (int i = 0; i < kReadsPerPump && bytes < kBytesPerPump; ++i) {
    const size_t count = Prepare();
    size_t wanted = 0;
    for (size_t v = 0; v < count; ++v) wanted += iovecs_[first_ + v].iov_len;
    const ssize_t n = readv(fd, &iovecs_[first_], static_cast<int>(count));
    if (n == 0) return Error(Reason::kPeerLost, "the source closed the connection");
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) return Pumped::kBlocked;
      if (errno == EFAULT && landing_.live()) {
        Break(landing_.window(), PageGone("target"));
        continue;
      }
      return Error(Reason::kTransport, SystemError("read", errno).message());
    }
    absl::Status consumed = Consume(n);
    if (!consumed.ok()) return consumed;
    // Less than there was room for: the socket is empty, the next bytes make a new edge. Not so
    // for the end of the stream, which had its edge.
    if (static_cast<size_t>(n) < wanted && !hangup_) return Pumped::kBlocked;
    bytes += n;
  }
  return Pumped::kMore;
}

size_t TargetDatapath::Prepare() {
  size_t count = 0;
  if (payload_left_ > 0) {
    // Checked before each read: another channel, or a fence, may have taken the window away.
    count = landing_.live() ? PreparePayload() : 0;
    if (!landing_.live()) count = PrepareDiscard();
  } else {
    first_ = mapped_ = 0;
  }
  uint64_t prepared = 0;
  for (size_t v = first_; v < mapped_; ++v) prepared += iovecs_[v].iov_len;
  if (prepared == payload_left_) {
    iovecs_[mapped_] = {header_.data() + header_filled_, header_.size() - header_filled_};
    ++count;
  }
  return count;
}

size_t TargetDatapath::PreparePayload() {
  if (first_ == mapped_) {
    first_ = mapped_ = 0;
    absl::StatusOr<size_t> mapped = landing_.Map(absl::MakeSpan(iovecs_.data(), kIovecsMax - 1));
    if (!mapped.ok()) {
      Break(landing_.window(), mapped.status());
      return 0;
    }
    mapped_ = *mapped;
  }
  return mapped_ - first_;
}

size_t TargetDatapath::PrepareDiscard() {
  if (scratch_ == nullptr) scratch_ = std::make_unique<std::byte[]>(kScratchBytes);
  first_ = 0;
  mapped_ = 1;
  iovecs_[0] = {scratch_.get(), std::min<uint64_t>(payload_left_, kScratchBytes)};
  return 1;
}

absl::Status TargetDatapath::Consume(size_t bytes) {
  if (payload_left_ > 0) {
    const size_t payload = std::min<uint64_t>(bytes, payload_left_);
    ConsumePayload(payload);
    bytes -= payload;
    if (payload_left_ == 0) FinishPayload();
  }
  header_filled_ += bytes;
  if (header_filled_ < header_.size()) return absl::OkStatus();
  header_filled_ = 0;
  return OnHeader();
}

void TargetDatapath::ConsumePayload(size_t bytes) {
  payload_left_ -= bytes;
  if (!landing_.live()) {
    first_ = mapped_ = 0;
    return;
  }
  landing_.Landed(bytes);
  context_.counters->bytes_landed += bytes;
  const void* gone = memory_fault::Touch([&] { PassPayload(bytes); });
  if (gone != nullptr) Break(landing_.window(), PageGone("target"));
}

void TargetDatapath::PassPayload(size_t bytes) {
  while (bytes > 0) {
    iovec& iov = iovecs_[first_];
    const size_t step = std::min(bytes, iov.iov_len);
    if (frame_.has_crc) crc_ = ExtendCrc32c(crc_, iov.iov_base, step);
    iov.iov_base = static_cast<std::byte*>(iov.iov_base) + step;
    iov.iov_len -= step;
    bytes -= step;
    if (iov.iov_len == 0) ++first_;
  }
}

void TargetDatapath::FinishPayload() {
  if (landing_.live() && frame_.has_crc && crc_ != frame_.crc) {
    suspect_ = Suspect{
        frame_.offer,
        Error(Reason::kCorrupt,
              absl::StrCat("checksum of part ", frame_.part, ", tokens [", frame_.chunk.token_begin,
                           ", ", frame_.chunk.token_end, "), bytes [", frame_.offset, ", ",
                           frame_.offset + frame_.length, ") of the chunk"))};
  }
  landing_.Drop();
}

absl::Status TargetDatapath::OnHeader() {
  absl::StatusOr<Frame> frame = ParseFrame(header_);
  if (!frame.ok()) return frame.status();
  frame_ = *frame;
  if (suspect_.has_value()) SettleSuspect();
  OpenedWindow* window;
  switch (frame_.type) {
    case FrameType::kData:
      payload_left_ = frame_.length;
      OnData();
      return absl::OkStatus();
    case FrameType::kPart:
      OnPart();
      return absl::OkStatus();
    case FrameType::kCancel:
      window = context_.windows->Find(context_.peer, frame_.offer);
      if (window != nullptr) Break(window, Error(Reason::kAborted, "the source cancelled"));
      return absl::OkStatus();
    case FrameType::kWelcome:
    case FrameType::kRuns:
    case FrameType::kMemory:
    case FrameType::kForget:
    case FrameType::kAck:
    case FrameType::kPages:
      break;
  }
  return Error(Reason::kBadMessage,
               absl::StrCat("frame of type ", static_cast<int>(frame_.type), " on a tcp channel"));
}

void TargetDatapath::OnData() {
  OpenedWindow* window = context_.windows->Find(context_.peer, frame_.offer);
  if (window == nullptr || window->broken) {
    ++context_.counters->stale_dropped;
    return;
  }
  if (window->window.checksums && !frame_.has_crc) {
    return Break(window, Error(Reason::kTransport, "the source sends no checksums"));
  }
  absl::StatusOr<Admission> admission = landing_.Begin(window, context_.channel, frame_);
  if (!admission.ok()) return Break(window, admission.status());
  if (*admission == Admission::kStale) ++context_.counters->stale_dropped;
  if (frame_.has_crc) crc_ = HeaderCrc(frame_);
}

void TargetDatapath::OnPart() {
  OpenedWindow* window = context_.windows->Find(context_.peer, frame_.offer);
  if (window == nullptr || window->broken) {
    ++context_.counters->stale_dropped;
    return;
  }
  absl::StatusOr<uint64_t> bytes = ClosePart(window, context_.channel, frame_);
  if (bytes.ok()) {
    context_.events->Part(context_.channel, context_.peer, frame_.offer, frame_.part, *bytes);
  } else if (absl::IsNotFound(bytes.status())) {
    ++context_.counters->stale_dropped;
  } else {
    Break(window, bytes.status());
  }
}

void TargetDatapath::Break(OpenedWindow* window, const absl::Status& cause) {
  landing_.Drop();
  if (window->broken) return;
  window->broken = true;
  context_.events->WindowBroken(context_.peer, window->window.offer, cause);
}

void TargetDatapath::SettleSuspect() {
  const Suspect suspect = *std::exchange(suspect_, std::nullopt);
  // Zeros follow a cancel in mid-frame: they are no corruption.
  if (frame_.type == FrameType::kCancel && frame_.offer == suspect.offer) return;
  OpenedWindow* window = context_.windows->Find(context_.peer, suspect.offer);
  if (window != nullptr) Break(window, suspect.cause);
}

}  // namespace baton::transport::tcp
