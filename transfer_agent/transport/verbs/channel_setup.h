// Makes queue pairs, brings them up, and takes them down again. Slow path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_SETUP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_SETUP_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/rail.h"

namespace baton::transport::verbs {

// kLoop: connected to itself, to read back what came (flusher.h).
enum class QueueUse : uint8_t { kSource, kTarget, kLoop };

// The lengths of the queues of a queue pair, of a target's with so many memory windows.
QueueSizes SizesOf(const VerbsOptions& options, const Rail& rail, QueueUse use,
                   uint32_t windows = 0);

// A queue pair in INIT with a random packet sequence number, its completions reserved. FULL when
// the rail has no room for it.
absl::StatusOr<std::unique_ptr<QueuePair>> MakeQueuePair(Rail* rail, const QueueSizes& wanted,
                                                         QueueUse use, uint16_t place,
                                                         uint16_t generation);
// How the peer reaches it.
Endpoint EndpointOf(const QueuePair& qp);
// Through RTR to RTS, connected to the peer's end.
absl::Status Connect(const VerbsOptions& options, const Endpoint& peer, QueuePair* qp);

// Queue pairs that were taken down. Each stays in reset until no packet to it or from it can be
// under way, so that its number is not free earlier. Thread-compatible.
class Graveyard {
 public:
  explicit Graveyard(Duration horizon) : horizon_(horizon) {}
  // Destroys what is left.
  ~Graveyard();
  Graveyard(const Graveyard&) = delete;
  Graveyard& operator=(const Graveyard&) = delete;

  // Resets it. Once this has returned true the device neither writes nor reads for it. False: the
  // device refuses to reset and to destroy it; it is tried again by Sweep. `keyless`: the memory
  // windows of its peer are invalid, so that it writes nothing even then.
  bool Bury(const QueuePair& qp, bool keyless = false);
  // Destroys those whose time is over.
  void Sweep(TimePoint now);
  std::optional<TimePoint> NextDue() const;
  size_t CountOf(const Rail& rail) const;
  // Queue pairs that could not be taken down: nothing may be said to be fenced meanwhile.
  size_t undead() const { return undead_; }

 private:
  struct Buried {
    Rail* rail;
    ibv_qp* qp;
    uint32_t completions;
    bool reset = true;
    bool undead = false;
    std::optional<TimePoint> until;  // set by the first Sweep
  };
  static bool Reset(const Rail& rail, ibv_qp* qp);

  const Duration horizon_;
  std::deque<Buried> buried_;
  size_t undead_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_SETUP_H_
