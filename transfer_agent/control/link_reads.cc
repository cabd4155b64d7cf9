// What a link does with what its wires bring.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "common/utf8.h"
#include "transfer_agent/control/link.h"
#include "transfer_agent/control/stream_end.h"
#include "transfer_agent/control/validate_frame.h"

namespace baton::control {
namespace {

// Causes that another wire of the same link cannot cure.
bool EndsLink(const absl::Status& why) {
  switch (ReasonOf(why)) {
    case Reason::kStaleEpoch:
    case Reason::kBadMessage:
    case Reason::kTooLarge:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Link::OnRead(StreamEnd* end, absl::StatusOr<v1::Frame> frame, size_t bytes) {
  MutexLock events_lock(&events_mu_);
  Outcome outcome;
  {
    MutexLock lock(&mu_);
    if (!Current(end)) return;
    Stream& stream = streams_[Index(end->priority())];
    stream.reading = false;
    outcome = Handle(end->priority(), frame, bytes, Monotonic::now());
  }
  if (!outcome.end.ok()) return EndLocked(outcome.end);
  if (outcome.up) ReportUp();
  if (events_ != nullptr && !outcome.bad.ok()) {
    events_->OnBadFrame(id_, *frame, outcome.bad);
  } else if (events_ != nullptr && outcome.deliver) {
    events_->OnFrame(id_, end->priority(), *std::move(frame));
  }
  MutexLock lock(&mu_);
  StartReads();
}

Link::Outcome Link::Handle(Priority priority, const absl::StatusOr<v1::Frame>& frame, size_t bytes,
                           TimePoint now) {
  if (!frame.ok()) return {.end = frame.status()};
  Outcome outcome = core_.attached(priority) ? HandleFrame(priority, *frame, bytes, now)
                                             : HandleHello(priority, *frame, now);
  if (outcome.end.ok()) {
    PumpAll(now);
    // A deadline that has passed waits for the write in flight.
    if (const TimePoint next = core_.NextDeadline(); next > now) host_->WakeBy(next);
  }
  return outcome;
}

// The answer to a Hello of ours.
Link::Outcome Link::HandleHello(Priority priority, const v1::Frame& frame, TimePoint now) {
  auto hello = ParseHello(frame);
  if (!hello.ok()) return {.end = hello.status()};
  if (hello->priority != priority || hello->link != number_ ||
      hello->connection != streams_[Index(priority)].connection) {
    return {.end = Error(Reason::kBadMessage, "the peer's hello answers another stream's")};
  }
  if (peer_.epoch != Epoch() && hello->epoch != peer_.epoch) {
    return {.end =
                Error(Reason::kStaleEpoch, absl::StrCat("the agent at ", address_, " restarted"))};
  }
  peer_.epoch = hello->epoch;
  peer_.planner_version = hello->planner_version;
  auto up = core_.Attach(priority, hello->delivered, now);
  if (!up.ok()) return {.end = up.status()};
  streams_[Index(priority)].backoff->Reset();
  return {.up = *up};
}

Link::Outcome Link::HandleFrame(Priority priority, const v1::Frame& frame, size_t bytes,
                                TimePoint now) {
  auto fresh = core_.Receive(priority, frame.seq(), frame.ack(), bytes, now);
  if (!fresh.ok()) return {.end = fresh.status()};
  absl::Status valid = ValidateFrame(frame);
  if (!valid.ok()) {
    // Delivered as far as the stream is concerned: a replay would not mend it.
    LOG(ERROR) << "peer " << address_ << ": dropped frame " << frame.seq() << " of its "
               << Name(priority) << " stream: " << valid.message();
    return {.bad = *fresh ? valid : absl::OkStatus()};
  }
  if (frame.has_goodbye()) {
    return {.end = Error(Reason::kPeerLost, absl::StrCat("the agent at ", address_, " has left: ",
                                                         CleanUtf8(frame.goodbye().why())))};
  }
  return {.deliver = *fresh && frame.body_case() != v1::Frame::BODY_NOT_SET};
}

void Link::OnWritten(StreamEnd* end) {
  MutexLock lock(&mu_);
  if (!Current(end)) return;
  streams_[Index(end->priority())].writing = false;
  Pump(end->priority(), Monotonic::now());
}

void Link::OnClosed(StreamEnd* end, const absl::Status& why) {
  MutexLock events_lock(&events_mu_);
  bool was_up;
  bool left;
  {
    MutexLock lock(&mu_);
    if (!Current(end)) return;
    Stream& stream = streams_[Index(end->priority())];
    Drop(&stream, why);
    stream.retry_at = Monotonic::now() + stream.backoff->Next();
    was_up = core_.was_up();
    left = leaving_;
    if (dialled_) host_->WakeBy(stream.retry_at);
  }
  if (left) return EndLocked(why);
  if (!dialled_) return;
  if (EndsLink(why)) return EndLocked(why);
  if (!was_up) ReportDialFailed(why);
}

}  // namespace baton::control
