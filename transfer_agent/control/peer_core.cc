#include "transfer_agent/control/peer_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::control {
namespace {

SessionLimits LimitsOf(const PeerCoreOptions& options, Priority priority) {
  SessionLimits limits;
  limits.unacked_bytes_max = options.unacked_bytes_max;
  limits.frame_bytes_max = options.frame_bytes_max;
  limits.heartbeat = options.heartbeat;
  // The urgent stream tells whether the peer lives; bulk needs only enough not to count as silent.
  if (priority == Priority::kBulk) {
    limits.heartbeat = std::max(options.heartbeat, options.silence / 3);
  }
  return limits;
}

}  // namespace

PeerCore::PeerCore(const PeerCoreOptions& options)
    : silence_(options.silence),
      sessions_{Session(LimitsOf(options, Priority::kBulk)),
                Session(LimitsOf(options, Priority::kUrgent))} {}

absl::StatusOr<bool> PeerCore::Attach(Priority priority, uint64_t peer_delivered, TimePoint now) {
  if (state() == PeerState::kDown) return Error(Reason::kPeerLost, "the link has ended");
  if (attached(priority)) Detach(priority);
  absl::Status resumed = sessions_[Index(priority)].Resume(peer_delivered, now);
  if (!resumed.ok()) return resumed;
  if (!heard_once_) first_heard_ = now;
  heard_once_ = true;
  attached_[Index(priority)] = true;
  if (!attached_[0] || !attached_[1]) return false;
  machine_.Advance(PeerEvent::kComplete);
  const bool first = !std::exchange(was_up_, true);
  PushAnnounce();
  return first;
}

void PeerCore::Detach(Priority priority) {
  if (state() == PeerState::kDown || !attached(priority)) return;
  attached_[Index(priority)] = false;
  machine_.Advance(PeerEvent::kCut);
}

bool PeerCore::End() {
  if (state() == PeerState::kDown) return false;
  machine_.Advance(PeerEvent::kEnd);
  attached_ = {false, false};
  return true;
}

absl::Status PeerCore::Push(Priority priority, Body body) {
  if (state() == PeerState::kDown) return Error(Reason::kPeerLost, "the peer is down");
  if (priority == Priority::kBulk && waiting_announce_ != nullptr) {
    return Error(Reason::kFull, "an announcement waits for room in the queue");
  }
  return sessions_[Index(priority)].Push(std::move(body));
}

void PeerCore::Announce(Body body) {
  waiting_announce_ = std::move(body);
  PushAnnounce();
}

void PeerCore::PushAnnounce() {
  if (!was_up_ || waiting_announce_ == nullptr) return;
  if (sessions_[Index(Priority::kBulk)].Push(waiting_announce_).ok()) waiting_announce_ = nullptr;
}

absl::StatusOr<bool> PeerCore::Receive(Priority priority, uint64_t seq, uint64_t ack, size_t bytes,
                                       TimePoint now) {
  if (!attached(priority)) return false;
  auto fresh = sessions_[Index(priority)].Receive(seq, ack, bytes, now);
  PushAnnounce();
  return fresh;
}

std::optional<Outgoing> PeerCore::Next(Priority priority, TimePoint now) {
  if (!attached(priority)) return std::nullopt;
  return sessions_[Index(priority)].Next(now);
}

TimePoint PeerCore::heard(size_t index) const {
  return std::max(sessions_[index].heard(), first_heard_);
}

std::optional<absl::Status> PeerCore::Silence(TimePoint now) const {
  if (!counts_silence()) return std::nullopt;
  for (Priority priority : kPriorities) {
    if (now - heard(Index(priority)) < silence_) continue;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(silence_).count();
    return Error(Reason::kPeerLost,
                 absl::StrCat("no word on its ", Name(priority), " stream for ", ms, " ms"));
  }
  return std::nullopt;
}

TimePoint PeerCore::NextDeadline() const {
  TimePoint next = TimePoint::max();
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (attached_[i]) next = std::min(next, sessions_[i].NextDeadline());
    if (counts_silence()) next = std::min(next, heard(i) + silence_);
  }
  return next;
}

size_t PeerCore::unacked_bytes() const {
  return sessions_[0].unacked_bytes() + sessions_[1].unacked_bytes();
}

}  // namespace baton::control
