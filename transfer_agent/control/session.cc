#include "transfer_agent/control/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::control {

absl::Status Session::Push(Body body) {
  if (body->size() > limits_.frame_bytes_max) {
    return Error(Reason::kTooLarge, absl::StrCat("a control frame of ", body->size(),
                                                 " bytes; at most ", limits_.frame_bytes_max));
  }
  const size_t charge = body->size() + kFrameOverheadBytes;
  if (unacked_bytes_ + charge > limits_.unacked_bytes_max) {
    return Error(Reason::kFull, absl::StrCat(unacked_bytes_,
                                             " bytes wait for the peer's acknowledgement; at most ",
                                             limits_.unacked_bytes_max));
  }
  unacked_bytes_ += charge;
  queue_.push_back(std::move(body));
  return absl::OkStatus();
}

absl::Status Session::Resume(uint64_t peer_delivered, TimePoint now) {
  if (peer_delivered < acked_ || peer_delivered > sent_max_) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("the peer resumes after frame ", peer_delivered, "; it had ", acked_,
                              " acknowledged and ", sent_max_, " sent"));
  }
  if (absl::Status status = Acknowledge(peer_delivered); !status.ok()) return status;
  if (sent_max_ > acked_ && ++vain_resumes_ > limits_.resumes_max) {
    return Error(Reason::kBadMessage, absl::StrCat("frame ", acked_ + 1, " did not get across on ",
                                                   limits_.resumes_max, " connections"));
  }
  next_to_send_ = acked_ + 1;
  // The Hello of the new connection has said what is delivered.
  owed_frames_ = 0;
  owed_bytes_ = 0;
  sent_at_ = now;
  heard_ = now;
  return absl::OkStatus();
}

absl::StatusOr<bool> Session::Receive(uint64_t seq, uint64_t ack, size_t bytes, TimePoint now) {
  if (absl::Status status = Acknowledge(ack); !status.ok()) return status;
  heard_ = now;
  if (seq == 0) return false;
  if (seq > delivered_ + 1) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("frame ", seq, " came after frame ", delivered_));
  }
  NoteOwed(bytes, now);
  if (seq <= delivered_) return false;
  ++delivered_;
  return true;
}

std::optional<Outgoing> Session::Next(TimePoint now) {
  if (next_to_send_ <= last_pushed()) {
    Outgoing out{next_to_send_, delivered_, queue_[next_to_send_ - acked_ - 1]};
    sent_max_ = std::max(sent_max_, next_to_send_++);
    NoteSent(now);
    return out;
  }
  if (now < NextDeadline()) return std::nullopt;
  NoteSent(now);
  return Outgoing{0, delivered_, HeartbeatBody()};
}

TimePoint Session::NextDeadline() const {
  const TimePoint heartbeat = sent_at_ + limits_.heartbeat;
  if (owed_frames_ == 0) return heartbeat;
  if (owed_frames_ >= limits_.ack_frames || owed_bytes_ >= limits_.ack_bytes) return owed_since_;
  return std::min(heartbeat, owed_since_ + limits_.ack_delay);
}

absl::Status Session::Acknowledge(uint64_t ack) {
  if (ack > sent_max_) {
    return Error(Reason::kBadMessage, absl::StrCat("the peer acknowledges frame ", ack, " of ",
                                                   sent_max_, " that were sent"));
  }
  // An older acknowledgement says nothing new.
  while (acked_ < ack) {
    unacked_bytes_ -= queue_.front()->size() + kFrameOverheadBytes;
    queue_.pop_front();
    ++acked_;
    vain_resumes_ = 0;
  }
  next_to_send_ = std::max(next_to_send_, acked_ + 1);
  return absl::OkStatus();
}

void Session::NoteOwed(size_t bytes, TimePoint now) {
  if (owed_frames_++ == 0) owed_since_ = now;
  owed_bytes_ += bytes;
}

void Session::NoteSent(TimePoint now) {
  sent_at_ = now;
  owed_frames_ = 0;
  owed_bytes_ = 0;
}

}  // namespace baton::control
