// Where the bytes of one frame go: checks the frame against its window and maps it onto target
// pages, piece by piece. Hot path: no allocation after a part's first frame. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LANDING_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LANDING_H_

#include <sys/uio.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/stream/frame.h"
#include "transfer_agent/transport/stream/window_table.h"

namespace baton::transport {

enum class Admission : uint8_t {
  kLand,   // Map what follows
  kStale,  // of an attempt that was replaced: read and drop
};

class Landing {
 public:
  // `frame` is kData or kRuns. An error breaks the window.
  absl::StatusOr<Admission> Begin(OpenedWindow* window, ChannelId channel, const Frame& frame);

  // Target memory of the next bytes, at most `out.size()` pieces. 0: all of the frame is mapped.
  // An error breaks the window: the plan and the exported memory contradict each other.
  absl::StatusOr<size_t> Map(absl::Span<iovec> out);

  // So many bytes of the mapped ones are in memory.
  void Landed(uint64_t bytes);

  // False: the window closed or broke, or another attempt took over. What is mapped must not be
  // written any more.
  bool live() const {
    return window_ != nullptr && !window_->broken && part_->restarts == restarts_;
  }
  OpenedWindow* window() const { return window_; }
  uint64_t left() const { return left_; }
  void Drop() { window_ = nullptr; }

 private:
  OpenedWindow* window_ = nullptr;
  PartProgress* part_ = nullptr;
  uint32_t restarts_ = 0;
  uint64_t unmapped_ = 0;
  uint64_t left_ = 0;
};

// For a path that lands whole chunks (cuda): admits all of the frame's chunk, of `bytes`, as Begin
// admits one frame. NOT_FOUND: of an attempt that was replaced; any other error breaks the window.
absl::Status AdmitChunk(OpenedWindow* window, ChannelId channel, const Frame& frame,
                        uint64_t bytes);

// Closes a part as a kPart frame says. The bytes it had, kStale's equivalent being NOT_FOUND; any
// other error breaks the window.
absl::StatusOr<uint64_t> ClosePart(OpenedWindow* window, ChannelId channel, const Frame& frame);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LANDING_H_
