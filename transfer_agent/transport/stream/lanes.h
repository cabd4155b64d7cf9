// The segments of one channel that wait to be sent: one lane an offer, served in turn, so that a
// large room does not hold up a small one. Within a lane segments keep their order: the receiver
// relies on it. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LANES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LANES_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "planner/cursor.h"
#include "transfer_agent/transport/stream/frame.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct Job {
  Segment segment;
  uint64_t taken = 0;     // bytes of the segment already in frames
  planner::CopyRun rest;  // of the cursor; length 0: none

  bool done() const { return taken == segment.cursor.bytes_total(); }
  // Next source bytes, at most `bytes_max` and `out.size()` pieces, neighbours merged. Returns the
  // number of pieces and adds their bytes to `taken`.
  size_t Take(absl::Span<planner::CopyRun> out, uint64_t bytes_max);
};

struct Lane {
  OfferId offer;
  uint32_t part = 0;
  uint8_t attempt = 0;
  uint64_t part_bytes = 0;  // of the part, in frames so far
  std::deque<Job> jobs;
};

class Lanes {
 public:
  // False: the segment contradicts its lane (another part before the one before it was closed).
  bool Add(Segment segment);
  // The lane whose turn it is, null when all are empty. It leaves the ring.
  Lane* Next();
  // The same, but it stays first in the ring.
  Lane* Peek() { return ring_.empty() ? nullptr : ring_.front(); }
  // Back to the end of the ring, when it has jobs left.
  void Return(Lane* lane);
  // Its part is closed, or the offer cancelled: cookies of the jobs that were left.
  std::vector<uint64_t> Remove(OfferId offer);
  std::vector<uint64_t> RemoveAll();

  bool has(OfferId offer) const { return lanes_.contains(offer); }
  // Lanes in the ring.
  size_t waiting() const { return ring_.size(); }
  size_t jobs() const { return jobs_; }
  // The lane's first job is all in frames.
  void PopJob(Lane* lane);

 private:
  absl::flat_hash_map<OfferId, std::unique_ptr<Lane>> lanes_;
  std::deque<Lane*> ring_;
  size_t jobs_ = 0;
};

// A frame for bytes [offset, offset + length) of the job's chunk.
Frame DataFrame(FrameType type, const Lane& lane, const Job& job, uint64_t offset, uint32_t length);
Frame PartFrame(const Lane& lane);
Frame CancelFrame(OfferId offer);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LANES_H_
