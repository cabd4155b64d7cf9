// A link to one peer: its two sessions, whether it is up, and when its silence ends it. Pure: no
// thread, clock or gRPC. Thread-compatible.
//
// The caller feeds connections (Attach, Detach), frames (Receive, Push) and time (Silence), and
// transmits what Next returns on the stream it asked for.
#ifndef BATON_TRANSFER_AGENT_CONTROL_PEER_CORE_H_
#define BATON_TRANSFER_AGENT_CONTROL_PEER_CORE_H_

#include <array>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/control/peer_states.h"
#include "transfer_agent/control/priority.h"
#include "transfer_agent/control/session.h"

namespace baton::control {

struct PeerCoreOptions {
  size_t unacked_bytes_max = 64 << 20;
  size_t frame_bytes_max = 8 << 20;
  Duration heartbeat = std::chrono::milliseconds(500);
  Duration silence = std::chrono::milliseconds(3000);
};

class PeerCore {
 public:
  explicit PeerCore(const PeerCoreOptions& options);

  PeerState state() const { return machine_.state(); }
  // OnPeerUp was due, and OnPeerDown will be.
  bool was_up() const { return was_up_; }

  // The peer said Hello on a new connection of the stream; an earlier one is forgotten. True: with
  // it the peer is up for the first time. BAD_MESSAGE as Session::Resume: end the link.
  absl::StatusOr<bool> Attach(Priority priority, uint64_t peer_delivered, TimePoint now);
  // The stream's connection broke.
  void Detach(Priority priority);
  bool attached(Priority priority) const { return attached_[Index(priority)]; }
  // Over, for ever. False: it was already.
  bool End();

  // PEER_LOST after the end; FULL and TOO_LARGE as Session::Push.
  absl::Status Push(Priority priority, Body body);
  // Bulk, and before any bulk frame that is pushed later. Waits until the peer is up, and while the
  // queue has no room for it: bulk frames are FULL then. A later announcement replaces one that
  // waits.
  void Announce(Body body);

  absl::StatusOr<bool> Receive(Priority priority, uint64_t seq, uint64_t ack, size_t bytes,
                               TimePoint now);
  // Nothing while the stream is not attached.
  std::optional<Outgoing> Next(Priority priority, TimePoint now);

  // Why the link is to end now, if it is: a stream has been silent for too long.
  std::optional<absl::Status> Silence(TimePoint now) const;
  // When Next or Silence have something to say though nothing arrives.
  TimePoint NextDeadline() const;

  uint64_t delivered(Priority priority) const { return sessions_[Index(priority)].delivered(); }
  size_t unacked_bytes() const;

 private:
  // A link whose peer never answered waits for ever: its dialler goes on trying.
  bool counts_silence() const { return heard_once_ && state() != PeerState::kDown; }
  TimePoint heard(size_t index) const;
  void PushAnnounce();

  const Duration silence_;
  StateMachine<PeerState, PeerEvent> machine_{"control_peer", kPeerRows, PeerState::kJoining};
  std::array<Session, 2> sessions_;
  std::array<bool, 2> attached_ = {false, false};
  bool was_up_ = false;
  bool heard_once_ = false;
  TimePoint first_heard_;
  Body waiting_announce_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_PEER_CORE_H_
