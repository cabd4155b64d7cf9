#include "transfer_agent/transport/tcp/send_batch.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/stream/page_gone.h"

namespace baton::transport::tcp {
namespace {

// Stands in for pages that must not be read any more. Never written, so it costs one page.
alignas(4096) std::byte zeros[kFrameLengthMax];

}  // namespace

SendBatch::SendBatch() {
  iovecs_.reserve(kIovecsMax);
  records_.reserve(kFramesMax);
  ends_.reserve(kFramesMax);
}

bool SendBatch::HasRoom() const {
  return records_.size() + 2 <= kFramesMax && iovecs_.size() + 4 <= kIovecsMax &&
         bytes_ < kBytesMax;
}

void SendBatch::Add(const Frame& frame, absl::Span<const iovec> payload) {
  FrameBuffer& header = headers_[records_.size()];
  EncodeFrame(frame, &header);
  const size_t begin = iovecs_.size();
  iovecs_.push_back({header.data(), header.size()});
  iovecs_.insert(iovecs_.end(), payload.begin(), payload.end());
  records_.push_back({.frame = frame, .begin = begin, .end = iovecs_.size()});
  bytes_ += frame.length;
}

void SendBatch::AddEnd(uint64_t cookie) { ends_.push_back({records_.size() - 1, cookie}); }

absl::StatusOr<bool> SendBatch::Send(int fd, EventQueue* events, Counters* counters) {
  msghdr message{};
  message.msg_iov = &iovecs_[next_];
  message.msg_iovlen = iovecs_.size() - next_;
  const ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return false;
    if (errno == EFAULT) return PageGone("source");
    return Error(Reason::kTransport, SystemError("send", errno).message());
  }
  Advance(n);
  Report(events, counters);
  if (!empty()) return false;
  Restart();
  return true;
}

void SendBatch::Advance(size_t bytes) {
  while (bytes > 0) {
    iovec& iov = iovecs_[next_];
    if (bytes < iov.iov_len) {
      iov.iov_base = static_cast<std::byte*>(iov.iov_base) + bytes;
      iov.iov_len -= bytes;
      return;
    }
    bytes -= iov.iov_len;
    iov.iov_len = 0;
    ++next_;
  }
}

void SendBatch::Report(EventQueue* events, Counters* counters) {
  while (reported_ < records_.size() && records_[reported_].end <= next_) {
    counters->bytes_sent += records_[reported_].frame.length;
    ++reported_;
  }
  while (ended_ < ends_.size() && ends_[ended_].frame < reported_) {
    events->SegmentDone(ends_[ended_++].cookie, absl::OkStatus());
  }
}

bool SendBatch::Neutralise(OfferId offer, const absl::Status& cause, EventQueue* events) {
  bool unsent = false;
  for (size_t i = reported_; i < records_.size(); ++i) {
    Record& record = records_[i];
    if (record.frame.offer != offer) continue;
    unsent = true;
    // A close that has not begun to leave must not: what it would close is not whole any more.
    if (record.frame.type == FrameType::kPart && iovecs_[record.begin].iov_len == kFrameBytes) {
      record.frame = Frame{.type = FrameType::kCancel, .offer = offer, .tokens = {}, .chunk = {}};
      EncodeFrame(record.frame, &headers_[i]);
    }
    for (size_t v = std::max(next_, record.begin + 1); v < record.end; ++v) {
      iovecs_[v].iov_base = zeros;
    }
  }
  size_t kept = ended_;
  for (size_t i = ended_; i < ends_.size(); ++i) {
    if (records_[ends_[i].frame].frame.offer == offer) {
      events->SegmentDone(ends_[i].cookie, cause);
    } else {
      ends_[kept++] = ends_[i];
    }
  }
  ends_.resize(kept);
  return unsent;
}

void SendBatch::Abandon(const absl::Status& cause, EventQueue* events) {
  for (size_t i = ended_; i < ends_.size(); ++i) events->SegmentDone(ends_[i].cookie, cause);
  Restart();
}

void SendBatch::Restart() {
  iovecs_.clear();
  records_.clear();
  ends_.clear();
  next_ = reported_ = ended_ = 0;
  bytes_ = 0;
}

}  // namespace baton::transport::tcp
