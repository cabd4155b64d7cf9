// Frames on their way into one socket: headers and iovecs of source pages, sent in as few calls as
// the socket allows. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TCP_SEND_BATCH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TCP_SEND_BATCH_H_

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/stream/frame.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport::tcp {

class SendBatch {
 public:
  static constexpr size_t kIovecsMax = 1024;  // IOV_MAX
  static constexpr size_t kFramesMax = 64;
  static constexpr uint64_t kBytesMax = kFrameLengthMax;

  SendBatch();

  bool empty() const { return next_ == iovecs_.size(); }
  // Room for a data frame and the frame that closes its part.
  bool HasRoom() const;
  // Segments whose end has not been sent yet.
  size_t segments() const { return ends_.size() - ended_; }
  uint64_t bytes_left() const { return kBytesMax - bytes_; }
  // Free entries for a payload, the other headers of HasRoom kept back.
  size_t iovecs_left() const { return kIovecsMax - 2 - iovecs_.size(); }

  void Add(const Frame& frame, absl::Span<const iovec> payload);
  // The segment ends with the frame that was added last.
  void AddEnd(uint64_t cookie);

  // True: all is sent. False: the socket is full. Ends that were passed are reported as done.
  // BAD_REGION: a page of offer() is gone; the rest can be sent once that is neutralised.
  absl::StatusOr<bool> Send(int fd, EventQueue* events, Counters* counters);

  // What is to be sent next is of this one; not for an empty batch.
  OfferId offer() const { return records_[reported_].frame.offer; }

  // From here on no page of the offer is read: zeros are sent in their place. Its segments end as
  // cancelled. True: bytes of the offer were still to be sent.
  bool Neutralise(OfferId offer, const absl::Status& cause, EventQueue* events);
  void Abandon(const absl::Status& cause, EventQueue* events);

 private:
  struct Record {
    Frame frame;
    size_t begin = 0;  // the header's iovec
    size_t end = 0;
  };
  struct End {
    size_t frame;
    uint64_t cookie;
  };
  void Advance(size_t bytes);
  void Report(EventQueue* events, Counters* counters);
  void Restart();

  std::vector<iovec> iovecs_;
  size_t next_ = 0;  // first iovec with bytes to send
  uint64_t bytes_ = 0;
  std::vector<Record> records_;
  size_t reported_ = 0;  // records passed
  std::vector<End> ends_;
  size_t ended_ = 0;
  std::array<FrameBuffer, kFramesMax> headers_;
};

}  // namespace baton::transport::tcp

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TCP_SEND_BATCH_H_
