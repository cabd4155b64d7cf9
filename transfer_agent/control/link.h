// A link to one peer at work: a PeerCore, the two wires under it, and the events above it.
//
// Thread-safe. Events of a link are delivered one at a time, under a lock of their own that is not
// taken by Send, Announce or Status: an event may call those. A wire's next frame is asked for only
// when its last was handled, and not before the link is up, so nothing is buffered here.
#ifndef BATON_TRANSFER_AGENT_CONTROL_LINK_H_
#define BATON_TRANSFER_AGENT_CONTROL_LINK_H_

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/mutex.h"
#include "transfer_agent/control/backoff.h"
#include "transfer_agent/control/hello.h"
#include "transfer_agent/control/peer_core.h"
#include "transfer_agent/control/peer_links.h"
#include "transfer_agent/control/wire.h"

namespace baton::control {

class Link;
class StreamEnd;

// What a link needs of the one that keeps all links. Thread-safe.
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  // `events` of the wire are those of `end`.
  virtual std::shared_ptr<Wire> DialWire(const std::string& address,
                                         std::shared_ptr<StreamEnd> end) = 0;
  // What this agent says of itself in every Hello.
  virtual std::string self_address() const = 0;
  virtual Epoch self_epoch() const = 0;
  // Whether to report that the address does not answer: not too often.
  virtual bool ReportDue(const std::string& address) = 0;
  // The link is over, and that has been reported.
  virtual void OnLinkDown(const std::shared_ptr<Link>& link) = 0;
  // The wire was closed; abort it if that takes long.
  virtual void Retire(std::shared_ptr<Wire> wire) = 0;
  // Tick is needed by then.
  virtual void WakeBy(TimePoint when) = 0;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  // `peer.epoch` is zero for a dialled link: its first Hello tells it.
  Link(const PeerCoreOptions& options, PeerInfo peer, uint64_t number, LinkHost* host,
       PeerEvents* events);

  uint64_t number() const { return number_; }
  PeerId id() const { return id_; }
  const std::string& address() const { return address_; }
  bool dialled() const { return dialled_; }
  // Of an accepted link: fixed.
  Epoch accepted_epoch() const { return accepted_epoch_; }

  // An accepted wire whose Hello belongs to this link. An error: refuse the wire with it.
  absl::Status Adopt(const std::shared_ptr<StreamEnd>& end, const Hello& hello);

  absl::Status Send(Priority priority, Body body);
  void Announce(Body body);
  // Last on the urgent stream. The link ends without an event when the peer closes it.
  void SayGoodbye(const Body& body);
  PeerLinkStatus Status() const;
  bool was_up() const;

  // Dials streams that are due, sends heartbeats and acknowledgements, ends a silent link. Returns
  // when it wants to be called again.
  TimePoint Tick(TimePoint now);
  // Ends the link and reports it. Not from an event of this link.
  void End(const absl::Status& cause);
  // No event after it returns. Not from an event of this link.
  void Silence();

  // From the wires.
  void OnRead(StreamEnd* end, absl::StatusOr<v1::Frame> frame, size_t bytes);
  void OnWritten(StreamEnd* end);
  void OnClosed(StreamEnd* end, const absl::Status& why);

 private:
  struct Stream {
    std::shared_ptr<StreamEnd> end;
    // Of the latest connection: the dialler counts.
    uint64_t connection = 0;
    bool hello_due = false;
    bool writing = false;
    bool reading = false;
    // Dialled links only.
    TimePoint retry_at;
    std::optional<Backoff> backoff;
  };
  // What handling a frame led to.
  struct Outcome {
    bool up = false;
    bool deliver = false;
    absl::Status bad = {};  // of the frame's body
    absl::Status end = {};
  };

  Outcome Handle(Priority priority, const absl::StatusOr<v1::Frame>& frame, size_t bytes,
                 TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Outcome HandleHello(Priority priority, const v1::Frame& frame, TimePoint now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Outcome HandleFrame(Priority priority, const v1::Frame& frame, size_t bytes, TimePoint now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Current(const StreamEnd* end) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DialStream(Priority priority) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Drop(Stream* stream, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Pump(Priority priority, TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PumpAll(TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StartReads() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Hello MyHello(Priority priority) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReportUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(events_mu_);
  void EndLocked(const absl::Status& cause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(events_mu_);
  void ReportDialFailed(const absl::Status& cause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(events_mu_);

  const PeerId id_;
  const std::string address_;
  const bool dialled_;
  const Epoch accepted_epoch_;
  const uint64_t number_;
  LinkHost* const host_;

  // Held while an event is delivered. Taken before mu_.
  Mutex events_mu_;
  PeerEvents* events_ ABSL_GUARDED_BY(events_mu_);

  mutable Mutex mu_;
  PeerInfo peer_ ABSL_GUARDED_BY(mu_);
  PeerCore core_ ABSL_GUARDED_BY(mu_);
  bool leaving_ ABSL_GUARDED_BY(mu_) = false;
  std::array<Stream, 2> streams_ ABSL_GUARDED_BY(mu_);
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_LINK_H_
