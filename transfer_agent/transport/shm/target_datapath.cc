#include "transfer_agent/transport/shm/target_datapath.h"

#include <poll.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/crc32c.h"
#include "common/memory_fault.h"
#include "common/reason.h"
#include "transfer_agent/transport/shm/copy.h"
#include "transfer_agent/transport/stream/page_gone.h"

namespace baton::transport::shm {
namespace {

// One batch is at most 4 MiB: the worker's other channels wait for one of them at most.
constexpr int kBatchesPerPump = 1;
constexpr int kMessagesPerPump = 16;

// The processor's own prefetcher starts anew at each piece: this spares it the start of the next.
void Prefetch(absl::Span<const std::byte> piece) {
  constexpr size_t kLine = 64;
  const size_t size = std::min<size_t>(piece.size(), 16 * kLine);
  for (size_t i = 0; i < size; i += kLine) __builtin_prefetch(piece.data() + i);
}

// To be asked after a copy. An engine that sees its agent dead may use its pages anew at once; a
// process closes its sockets before it can be seen dead, so an open one vouches for what was read.
absl::Status SourceLives(int fd) {
  pollfd state{.fd = fd, .events = POLLRDHUP, .revents = 0};
  if (poll(&state, 1, 0) <= 0) return absl::OkStatus();
  return Error(Reason::kTransport, "shm: the source ended while its pages were being copied");
}

// Which side's memory is gone: only the target's own is in `places`.
absl::Status GoneAt(const void* address, absl::Span<const iovec> places) {
  const bool ours = std::any_of(places.begin(), places.end(), [&](const iovec& place) {
    return address >= place.iov_base &&
           address < static_cast<const std::byte*>(place.iov_base) + place.iov_len;
  });
  return PageGone(ours ? "target" : "source");
}

}  // namespace

TargetDatapath::TargetDatapath(const LinkContext& context) : context_(context), iovecs_(256) {}

void TargetDatapath::DropWindow(const OpenedWindow*) {
  // A batch is copied within one call: between calls no window is being written.
}

absl::StatusOr<Pumped> TargetDatapath::Pump(int fd, Edges) {
  int batches = 0;
  for (int i = 0; i < kMessagesPerPump && batches < kBatchesPerPump; ++i) {
    absl::StatusOr<Received> received = Receive(fd, &message_);
    if (!received.ok()) return received.status();
    if (*received == Received::kNothing) {
      absl::StatusOr<bool> sent = Acknowledge(fd);
      if (!sent.ok()) return sent.status();
      return Pumped::kBlocked;
    }
    batches += message_.frame.type == FrameType::kRuns ? 1 : 0;
    absl::Status status = OnMessage(fd);
    if (!status.ok()) return status;
  }
  absl::StatusOr<bool> sent = Acknowledge(fd);
  if (!sent.ok()) return sent.status();
  return Pumped::kMore;
}

absl::StatusOr<bool> TargetDatapath::Acknowledge(int fd) {
  if (last_read_ == last_acknowledged_) return true;
  const Frame ack{
      .type = FrameType::kAck, .offer = {}, .tokens = {}, .chunk = {}, .serial = last_read_};
  absl::StatusOr<bool> sent = Send(fd, ack, {}, {});
  if (sent.ok() && *sent) last_acknowledged_ = last_read_;
  return sent;
}

absl::Status TargetDatapath::OnMessage(int fd) {
  const Frame& frame = message_.frame;
  OpenedWindow* window;
  switch (frame.type) {
    case FrameType::kRuns:
      return OnRuns(fd);
    case FrameType::kMemory:
      return OnMemory();
    case FrameType::kForget:
      memory_.Remove(frame.memory);
      return absl::OkStatus();
    case FrameType::kPart:
      OnPart();
      return absl::OkStatus();
    case FrameType::kCancel:
      window = context_.windows->Find(context_.peer, frame.offer);
      if (window != nullptr) Break(window, Error(Reason::kAborted, "the source cancelled"));
      return absl::OkStatus();
    case FrameType::kWelcome:
    case FrameType::kData:
    case FrameType::kAck:
    case FrameType::kPages:
      break;
  }
  return Error(Reason::kBadMessage,
               absl::StrCat("frame of type ", static_cast<int>(frame.type), " on a shm channel"));
}

absl::Status TargetDatapath::OnMemory() {
  if (message_.body_bytes != message_.frame.count * sizeof(uint64_t)) {
    return Error(Reason::kBadMessage, "shm: memory frame with a body of the wrong size");
  }
  uint64_t sizes[kRegionsPerMemoryMax];
  std::memcpy(sizes, message_.body(), message_.body_bytes);
  return memory_.Add(message_.frame.memory, {sizes, message_.frame.count}, message_.fds);
}

absl::Status TargetDatapath::OnRuns(int fd) {
  const Frame& frame = message_.frame;
  if (message_.body_bytes != frame.count * sizeof(RunRecord) || frame.serial != last_read_ + 1) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("shm: batch ", frame.serial, " after ", last_read_,
                              " with a body of ", message_.body_bytes, " bytes"));
  }
  OpenedWindow* window = context_.windows->Find(context_.peer, frame.offer);
  if (window == nullptr || window->broken) {
    ++context_.counters->stale_dropped;
  } else if (absl::Status landed = Land(window); !landed.ok()) {
    Break(window, landed);
  }
  last_read_ = frame.serial;
  return SourceLives(fd);
}

absl::Status TargetDatapath::Land(OpenedWindow* window) {
  const Frame& frame = message_.frame;
  if (window->window.checksums && !frame.has_crc) {
    return Error(Reason::kTransport, "the source sends no checksums");
  }
  const auto runs =
      absl::MakeConstSpan(reinterpret_cast<const RunRecord*>(message_.body()), frame.count);
  auto pieces = memory_.Resolve(frame.memory, runs, frame.length);
  if (!pieces.ok()) return pieces.status();
  absl::StatusOr<Admission> admission = landing_.Begin(window, context_.channel, frame);
  if (!admission.ok()) return admission.status();
  if (*admission == Admission::kStale) {
    ++context_.counters->stale_dropped;
    return absl::OkStatus();
  }
  absl::Status copied = CopyPieces(*pieces);
  landing_.Drop();
  return copied;
}

void TargetDatapath::CopyInto(absl::Span<const iovec> places, Progress* at) const {
  const bool has_crc = message_.frame.has_crc;
  for (const iovec& place : places) {
    std::byte* to = static_cast<std::byte*>(place.iov_base);
    for (size_t left = place.iov_len; left > 0;) {
      const size_t step = std::min(left, at->piece->size() - at->read);
      CopyPast(to, at->piece->data() + at->read, step);
      if (has_crc) at->crc = ExtendCrc32c(at->crc, to, step);
      to += step;
      left -= step;
      at->read += step;
      if (at->read < at->piece->size()) continue;
      at->read = 0;
      ++at->piece;
      if (at->piece + 1 < at->end) Prefetch(at->piece[1]);
    }
  }
}

absl::Status TargetDatapath::CopyPieces(Pieces pieces) {
  const Frame& frame = message_.frame;
  Progress at{.piece = pieces.begin(), .end = pieces.end()};
  if (frame.has_crc) at.crc = HeaderCrc(frame);
  for (;;) {
    absl::StatusOr<size_t> mapped = landing_.Map(absl::MakeSpan(iovecs_));
    if (!mapped.ok()) return mapped.status();
    if (*mapped == 0) break;
    const auto places = absl::MakeConstSpan(iovecs_.data(), *mapped);
    const void* gone = memory_fault::Touch([&] { CopyInto(places, &at); });
    if (gone != nullptr) return GoneAt(gone, places);
  }
  FinishCopies();
  context_.counters->bytes_copied += frame.length;
  context_.counters->bytes_landed += frame.length;
  if (!frame.has_crc || at.crc == frame.crc) return absl::OkStatus();
  return Error(Reason::kCorrupt,
               absl::StrCat("checksum of part ", frame.part, ", tokens [", frame.chunk.token_begin,
                            ", ", frame.chunk.token_end, "), bytes [", frame.offset, ", ",
                            frame.offset + frame.length, ") of the chunk"));
}

void TargetDatapath::OnPart() {
  const Frame& frame = message_.frame;
  OpenedWindow* window = context_.windows->Find(context_.peer, frame.offer);
  if (window == nullptr || window->broken) {
    ++context_.counters->stale_dropped;
    return;
  }
  absl::StatusOr<uint64_t> bytes = ClosePart(window, context_.channel, frame);
  if (bytes.ok()) {
    context_.events->Part(context_.channel, context_.peer, frame.offer, frame.part, *bytes);
  } else if (absl::IsNotFound(bytes.status())) {
    ++context_.counters->stale_dropped;
  } else {
    Break(window, bytes.status());
  }
}

void TargetDatapath::Break(OpenedWindow* window, const absl::Status& cause) {
  if (window->broken) return;
  window->broken = true;
  context_.events->WindowBroken(context_.peer, window->window.offer, cause);
}

}  // namespace baton::transport::shm
