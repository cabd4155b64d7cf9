// Makes what has come into GPU memory seen before it is told of.
//
// A write that the adapter has acknowledged may still be on its way over the bus to another
// device's memory. A READ from that memory, back over the same rail, does not return before those
// writes are there. Each rail has one queue pair that is connected to itself for it; of one memory
// at most one READ is under way on a rail, and what waits meanwhile shares the next.
// What needs no such READ is not put here. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FLUSHER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FLUSHER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/verbs/local_memory.h"
#include "transfer_agent/transport/verbs/loop.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/queue_pairs.h"
#include "transfer_agent/transport/verbs/rail.h"

namespace baton::transport::verbs {

class Flusher {
 public:
  // What waits for the flush: a part, or a fence (no part).
  struct Waiting {
    bool is_part = false;
    ChannelId channel;
    PeerId peer;
    OfferId offer;
    uint32_t part = 0;
  };

  // Both outlive it.
  Flusher(Loop* loop, QueuePairs* queue_pairs) : loop_(loop), queue_pairs_(queue_pairs) {}
  ~Flusher();

  // A queue pair on each rail. Errors name the rail and the call.
  absl::Status Prepare(absl::Span<const std::unique_ptr<Rail>> rails);
  // `rails`: over which something came.
  void Start(const LocalMemory& memory, absl::Span<const size_t> rails, const Waiting& waiting);
  // A completion of that rail's queue pair.
  void OnCompletion(size_t rail, const ibv_wc& wc, uint32_t sequence);
  // Of a window that is closed nothing is told any more.
  void ForgetWindow(PeerId peer, OfferId offer);
  void ForgetMemory(const LocalMemory* memory);
  // What was put here is numbered. Up to `told` all has been told of.
  uint64_t last() const { return last_; }
  uint64_t told() const { return pending_.empty() ? last_ : pending_.front().number - 1; }

 private:
  struct Lane {
    const LocalMemory* memory = nullptr;
    size_t rail = 0;
    uint64_t asked = 0;
    uint64_t reading = 0;  // the READ under way covers these; 0: none is
    uint64_t done = 0;
  };
  struct Reader {
    Rail* rail = nullptr;
    std::unique_ptr<QueuePair> qp;
    ibv_mr* scratch = nullptr;
    std::deque<Lane*> reads;  // under way, in order
  };
  struct Pending {
    uint64_t number = 0;
    Waiting waiting;
    std::vector<std::pair<Lane*, uint64_t>> lanes;
  };

  absl::Status Build(size_t rail);
  Lane* LaneOf(const LocalMemory& memory, size_t rail);
  absl::Status Read(Lane* lane);
  void Break(size_t rail, const absl::Status& cause);
  void TellReady();
  void Tell(const Waiting& waiting, const absl::Status& status);

  Loop* const loop_;
  QueuePairs* const queue_pairs_;
  std::vector<Reader> readers_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::deque<Pending> pending_;
  uint64_t last_ = 0;
  alignas(64) std::byte bytes_[64] = {};
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FLUSHER_H_
