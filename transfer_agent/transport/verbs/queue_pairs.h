// The queue pairs of one worker: whose a completion is, and where they go when they are taken down.
//
// One that was taken down stays in reset until no packet to it or from it can be under way, so that
// its number is not free earlier. Slow path, but for Find. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIRS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIRS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/places.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/queue_pair_setup.h"
#include "transfer_agent/transport/verbs/work_id.h"

namespace baton::transport::verbs {

class QueuePairs {
 public:
  // Which outlives it.
  explicit QueuePairs(const VerbsOptions& options) : options_(options) {}
  // Destroys what is left in reset.
  ~QueuePairs();
  QueuePairs(const QueuePairs&) = delete;
  QueuePairs& operator=(const QueuePairs&) = delete;

  // In INIT. FULL when the rail or the worker has no room for it. Of no channel: the flusher's.
  absl::StatusOr<std::unique_ptr<QueuePair>> Make(Rail* rail, QueueUse use, uint32_t windows,
                                                  Channel* channel, uint32_t index);
  // Resets it; completions that name it are nobody's. Once this has returned true the device
  // neither writes nor reads for it. False: the device refuses to reset and to destroy it; it is
  // tried again by Sweep. `keyless`: the memory windows of its peer are invalid, so that it writes
  // nothing even then.
  bool TakeDown(const QueuePair& qp, bool keyless = false);
  // Every one that was taken down is: else nothing may be said to be fenced.
  bool AllDown() const { return refused_ == 0; }
  // Destroys those whose time is over.
  void Sweep(TimePoint now);
  std::optional<TimePoint> NextDue() const;
  size_t InReset(const Rail& rail) const;

  // Null: nobody waits for it.
  const Place* Find(const WorkId& id) const { return places_.Find(id); }
  // Null: of none that is in use.
  const Place* Find(const ibv_qp* qp) const;

 private:
  struct Down {
    Rail* rail;
    ibv_qp* qp;
    uint32_t completions;
    bool reset = true;
    bool refused = false;
    std::optional<TimePoint> until;  // set by the first Sweep
  };
  static bool Reset(const Rail& rail, ibv_qp* qp);

  const VerbsOptions& options_;
  Places places_;
  std::deque<Down> down_;
  size_t refused_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIRS_H_
