// Makes what has come into GPU memory seen before it is told of.
//
// A write that the adapter has acknowledged may still be on its way over the bus to another
// device's memory. A READ from that memory, back over the same rail, does not return before those
// writes are there. Each rail has one queue pair that is connected to itself for it; of one memory
// at most one READ is under way on a rail, and what waits meanwhile shares the next.
// Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FLUSHER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FLUSHER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/verbs/channel_setup.h"
#include "transfer_agent/transport/verbs/local_memory.h"
#include "transfer_agent/transport/verbs/queue_pair.h"

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
  using Done = std::function<void(const Waiting&, const absl::Status&)>;
  // The place of a new queue pair of that rail in completions.
  struct Place {
    uint16_t place = 0;
    uint16_t generation = 0;
  };
  using TakePlace = std::function<absl::StatusOr<Place>(size_t rail)>;
  using LeavePlace = std::function<void(uint16_t place)>;

  // All outlive it. `done` is called by OnCompletion and Start.
  Flusher(const VerbsOptions& options, Graveyard* graveyard, TakePlace take, LeavePlace leave,
          Done done)
      : options_(options),
        graveyard_(graveyard),
        take_(std::move(take)),
        leave_(std::move(leave)),
        done_(std::move(done)) {}
  ~Flusher();

  // A queue pair on each rail. Errors name the rail and the call.
  absl::Status Prepare(absl::Span<const std::unique_ptr<Rail>> rails);
  // `rails`: over which something came.
  void Start(const LocalMemory& memory, absl::Span<const size_t> rails, const Waiting& waiting);
  // A completion at the place of `rail`.
  void OnCompletion(size_t rail, const ibv_wc& wc, uint32_t sequence);
  // Of a window that is closed nothing is told any more.
  void ForgetWindow(PeerId peer, OfferId offer);
  void ForgetMemory(const LocalMemory* memory);
  bool idle() const { return pending_.empty(); }
  // Parts that were put here up to `number` have all been told.
  bool ToldUpTo(uint64_t number) const {
    return pending_.empty() || pending_.front().number > number;
  }
  uint64_t last_number() const { return last_number_; }

 private:
  struct Lane {
    const LocalMemory* memory = nullptr;
    size_t rail = 0;
    uint64_t asked = 0;
    uint64_t reading = 0;  // the READ under way covers these; 0: none is
    uint64_t done = 0;
  };
  struct Loop {
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

  const VerbsOptions& options_;
  Graveyard* const graveyard_;
  const TakePlace take_;
  const LeavePlace leave_;
  const Done done_;
  std::vector<Loop> loops_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::deque<Pending> pending_;
  uint64_t last_number_ = 0;
  alignas(64) std::byte bytes_[64] = {};
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FLUSHER_H_
