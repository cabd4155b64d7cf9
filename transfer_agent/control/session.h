// One stream's reliability: numbers what goes out and keeps it until it is acknowledged, says what
// to send next and what to replay after a reconnect, and lets each arriving frame through once, in
// order. Frames pass as values; time is an argument.
//
//   session.Push(body);                                  // any time, connected or not
//   session.Resume(hello.delivered(), now);              // a connection is up: replay what it
//   lacks while (auto out = session.Next(now)) Transmit(*out); auto fresh =
//   session.Receive(frame.seq(), frame.ack(), bytes, now);
//
// Acknowledgements are cumulative and ride on every frame; a bare one follows when nothing else
// goes out for ack_delay, or when much is owed. Pure: no thread, clock or gRPC. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_CONTROL_SESSION_H_
#define BATON_TRANSFER_AGENT_CONTROL_SESSION_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/control/frame_bytes.h"

namespace baton::control {

struct SessionLimits {
  size_t unacked_bytes_max = 64 << 20;
  size_t frame_bytes_max = 8 << 20;
  // Something goes out at least this often.
  Duration heartbeat = std::chrono::milliseconds(500);
  // Longest time an acknowledgement waits for a frame to ride on.
  Duration ack_delay = std::chrono::milliseconds(50);
  // Owed frames or bytes that make it due at once.
  uint32_t ack_frames = 64;
  uint32_t resumes_max = 32;
  size_t ack_bytes = 1 << 20;
};

// Charged for each queued frame beside its bytes, so that tiny frames are bounded too.
inline constexpr size_t kFrameOverheadBytes = 128;

struct Outgoing {
  uint64_t seq = 0;  // 0: a heartbeat, which is neither counted nor replayed
  uint64_t ack = 0;
  Body body;
};

class Session {
 public:
  explicit Session(const SessionLimits& limits) : limits_(limits) {}

  // FULL when unacked_bytes_max would be passed, TOO_LARGE when the frame alone passes
  // frame_bytes_max; the session is unchanged then.
  absl::Status Push(Body body);

  // A new connection is up, whose peer has delivered `peer_delivered` of our frames. BAD_MESSAGE
  // when that is a number this session cannot have reached, or when resumes_max connections in
  // turn have not got a single frame across.
  absl::Status Resume(uint64_t peer_delivered, TimePoint now);

  // Numbers of an arrived frame of `bytes`. True: deliver it; false: seen before, or a heartbeat.
  // BAD_MESSAGE: a gap, or an acknowledgement of what was never sent.
  absl::StatusOr<bool> Receive(uint64_t seq, uint64_t ack, size_t bytes, TimePoint now);

  // The next frame to transmit, or nothing for now.
  std::optional<Outgoing> Next(TimePoint now);
  // When Next has something to say though nothing was pushed.
  TimePoint NextDeadline() const;

  // Highest number delivered from the peer.
  uint64_t delivered() const { return delivered_; }
  size_t unacked_bytes() const { return unacked_bytes_; }
  // When the peer was last heard.
  TimePoint heard() const { return heard_; }

 private:
  uint64_t last_pushed() const { return acked_ + queue_.size(); }
  absl::Status Acknowledge(uint64_t ack);
  void NoteOwed(size_t bytes, TimePoint now);
  void NoteSent(TimePoint now);

  const SessionLimits limits_;

  // Outgoing: queue_[i] has the number acked_ + 1 + i.
  std::deque<Body> queue_;
  size_t unacked_bytes_ = 0;
  uint64_t acked_ = 0;
  uint64_t next_to_send_ = 1;
  uint64_t sent_max_ = 0;
  uint32_t vain_resumes_ = 0;
  TimePoint sent_at_;

  // Incoming.
  uint64_t delivered_ = 0;
  uint32_t owed_frames_ = 0;
  size_t owed_bytes_ = 0;
  TimePoint owed_since_;
  TimePoint heard_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_SESSION_H_
