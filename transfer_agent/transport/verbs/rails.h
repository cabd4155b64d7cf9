// The rails of one worker: which are open, which are good for what, and what the devices say of
// them by themselves.
//
// Knows no channel. What a rail can bring no longer is handed back as losses, and the caller ends
// the channels. Slow path. Thread-compatible; everything made from its rails must be gone first.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RAILS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RAILS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "transfer_agent/transport/port_metrics.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/path_pauses.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/rail.h"
#include "transfer_agent/transport/verbs/selection.h"

namespace baton::transport::verbs {

// Channels over `rail` that are to end.
struct Loss {
  const Rail* rail = nullptr;
  const ibv_qp* qp = nullptr;  // not null: only the one that this belongs to
  bool sources_only = false;   // what comes in may still come
  absl::Status cause;
};
using Losses = std::vector<Loss>;

class Rails {
 public:
  // Both outlive it.
  Rails(Provider* provider, const VerbsOptions& options) : provider_(provider), options_(options) {}
  // Selects and opens. A device that does not open is left out, and the selection says why.
  // NO_TRANSPORT lists every device that was tried.
  absl::Status Open();

  const Selection& selection() const { return selection_; }
  absl::Span<const std::unique_ptr<Rail>> all() const { return rails_; }
  // Of each port, also for another thread and when it is gone.
  std::vector<std::shared_ptr<const PortMetrics>> metrics() const;

  // Those to open a channel to that peer over, without those over which it was not reached of late.
  // TRANSPORT: none is up.
  absl::StatusOr<std::vector<Rail*>> To(PeerId peer, TimePoint now) const;
  // One for each queue pair that the source offers. `turn` varies where nothing else decides.
  absl::StatusOr<std::vector<Rail*>> For(const Greeting& open, uint64_t turn, TimePoint now) const;
  // Positions of those that work.
  std::vector<size_t> Working() const;
  // Positions of the peer's rails that it had better not use.
  std::vector<uint32_t> ToAvoid(PeerId peer, TimePoint now) const {
    return pauses_.RemotePaused(peer, now);
  }

  // That queue pair failed: channels to the peer leave its rails at both ends out for a while. Of
  // other peers it says nothing.
  void NotReached(PeerId peer, const QueuePair& qp, TimePoint now);
  void ForgetPeer(PeerId peer) { pauses_.Forget(peer); }
  // The device is of no use any more.
  static Loss Kill(Rail* rail, const absl::Status& cause);

  // Takes, acknowledges and judges asynchronous events. True when there were any.
  bool TakeEvents(Losses* losses);
  // Ports that are down for too long, while others are up.
  void CheckPorts(TimePoint now, Losses* losses);
  std::optional<TimePoint> NextDue(TimePoint now) const;

  // The completion queues wake their descriptors; false when one refuses.
  bool Arm();
  void TakeWakeups();

 private:
  std::vector<Rail*> Usable(TimePoint now) const;
  absl::Status NoneUp() const;
  void LeaveOut(const ChosenRail& chosen, const absl::Status& why);
  void OnEvent(Rail* rail, const ibv_async_event& event, Losses* losses);
  void OnPortEvent(Rail* rail, bool up, const std::string& text);
  // Of the port's GIDs and LID: what peers were told may be true no more.
  void CheckAddress(Rail* rail, const std::string& text, Losses* losses);

  Provider* const provider_;
  const VerbsOptions& options_;
  Selection selection_;
  std::vector<std::unique_ptr<Rail>> rails_;
  PathPauses pauses_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RAILS_H_
