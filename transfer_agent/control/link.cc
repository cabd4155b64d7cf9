#include "transfer_agent/control/link.h"

#include <algorithm>
#include <utility>

#include "common/reason.h"
#include "transfer_agent/control/stream_end.h"

namespace baton::control {
namespace {

constexpr auto kBackoffFirst = std::chrono::milliseconds(20);
constexpr auto kBackoffCap = std::chrono::milliseconds(1000);

}  // namespace

Link::Link(const PeerCoreOptions& options, PeerInfo peer, uint64_t number, LinkHost* host,
           PeerEvents* events)
    : id_(peer.id),
      address_(peer.address),
      dialled_(peer.dialled),
      accepted_epoch_(peer.epoch),
      number_(number),
      host_(host),
      events_(events),
      peer_(std::move(peer)),
      core_(options) {
  for (Priority priority : kPriorities) {
    const uint64_t seed = host->self_epoch().value() + 2 * id_.value() + Index(priority);
    streams_[Index(priority)].backoff.emplace(kBackoffFirst, kBackoffCap, seed);
  }
}

absl::Status Link::Adopt(const std::shared_ptr<StreamEnd>& end, const Hello& hello) {
  MutexLock events_lock(&events_mu_);
  absl::StatusOr<bool> up = false;
  {
    MutexLock lock(&mu_);
    const TimePoint now = Monotonic::now();
    Stream& stream = streams_[Index(hello.priority)];
    if (hello.connection <= stream.connection) {
      return Error(Reason::kAborted, "a later connection of the stream came first");
    }
    stream.connection = hello.connection;
    // The dialler opens a new wire when it knows the old one to be dead.
    Drop(&stream, Error(Reason::kAborted, "the stream has a newer wire"));
    peer_.planner_version = hello.planner_version;
    up = core_.Attach(hello.priority, hello.delivered, now);
    if (up.ok()) {
      stream.end = end;
      stream.hello_due = true;
      PumpAll(now);
    }
  }
  if (!up.ok()) {
    EndLocked(up.status());
    return up.status();
  }
  if (*up) ReportUp();
  MutexLock lock(&mu_);
  StartReads();
  return absl::OkStatus();
}

absl::Status Link::Send(Priority priority, Body body) {
  MutexLock lock(&mu_);
  absl::Status status = core_.Push(priority, std::move(body));
  if (status.ok()) Pump(priority, Monotonic::now());
  return status;
}

void Link::Announce(Body body) {
  MutexLock lock(&mu_);
  if (core_.state() == PeerState::kDown) return;
  core_.Announce(std::move(body));
  Pump(Priority::kBulk, Monotonic::now());
}

void Link::SayGoodbye(const Body& body) {
  MutexLock lock(&mu_);
  if (!core_.was_up()) return;
  leaving_ = true;
  if (core_.Push(Priority::kUrgent, body).ok()) Pump(Priority::kUrgent, Monotonic::now());
}

PeerLinkStatus Link::Status() const {
  MutexLock lock(&mu_);
  PeerLinkStatus status;
  status.peer = peer_;
  status.up = core_.state() == PeerState::kUp;
  status.unacked_bytes = core_.unacked_bytes();
  return status;
}

bool Link::was_up() const {
  MutexLock lock(&mu_);
  return core_.was_up();
}

TimePoint Link::Tick(TimePoint now) {
  std::optional<absl::Status> silent;
  {
    MutexLock lock(&mu_);
    if (core_.state() == PeerState::kDown) return TimePoint::max();
    silent = core_.Silence(now);
    TimePoint next = TimePoint::max();
    if (!silent.has_value()) {
      for (Priority priority : kPriorities) {
        Stream& stream = streams_[Index(priority)];
        const bool dial = dialled_ && stream.end == nullptr;
        if (dial && stream.retry_at <= now) DialStream(priority);
        if (dial && stream.end == nullptr) next = std::min(next, stream.retry_at);
        Pump(priority, now);
      }
      return std::min(next, core_.NextDeadline());
    }
  }
  End(*silent);
  return TimePoint::max();
}

void Link::End(const absl::Status& cause) {
  MutexLock lock(&events_mu_);
  EndLocked(cause);
}

void Link::Silence() {
  MutexLock events_lock(&events_mu_);
  events_ = nullptr;
  MutexLock lock(&mu_);
  core_.End();
  for (Stream& stream : streams_) Drop(&stream, Error(Reason::kAborted, "this agent stops"));
}

void Link::EndLocked(const absl::Status& cause) {
  bool was_up;
  bool report;
  {
    MutexLock lock(&mu_);
    was_up = core_.was_up();
    report = was_up && !leaving_;
    if (!core_.End()) return;
    for (Stream& stream : streams_) Drop(&stream, cause);
  }
  if (report && events_ != nullptr) events_->OnPeerDown(id_, cause);
  if (!was_up && dialled_) ReportDialFailed(cause);
  host_->OnLinkDown(shared_from_this());
}

void Link::ReportUp() {
  PeerInfo peer;
  {
    MutexLock lock(&mu_);
    peer = peer_;
  }
  if (events_ != nullptr) events_->OnPeerUp(peer);
}

void Link::ReportDialFailed(const absl::Status& cause) {
  if (events_ != nullptr && host_->ReportDue(address_)) events_->OnDialFailed(address_, cause);
}

void Link::Drop(Stream* stream, const absl::Status& why) {
  if (stream->end == nullptr) return;
  core_.Detach(stream->end->priority());
  stream->end->wire()->Close(why);
  host_->Retire(stream->end->shared_wire());
  stream->end = nullptr;
  stream->hello_due = stream->writing = stream->reading = false;
}

void Link::DialStream(Priority priority) {
  Stream& stream = streams_[Index(priority)];
  stream.end = std::make_shared<StreamEnd>(shared_from_this(), priority);
  stream.end->SetWire(host_->DialWire(address_, stream.end));
  ++stream.connection;
  stream.hello_due = true;
  stream.reading = true;
  Pump(priority, Monotonic::now());
  stream.end->wire()->Read();
}

Hello Link::MyHello(Priority priority) const {
  Hello hello;
  hello.priority = priority;
  hello.address = host_->self_address();
  hello.epoch = host_->self_epoch();
  hello.peer_epoch = peer_.epoch;
  hello.link = number_;
  hello.connection = streams_[Index(priority)].connection;
  hello.delivered = core_.delivered(priority);
  return hello;
}

void Link::Pump(Priority priority, TimePoint now) {
  Stream& stream = streams_[Index(priority)];
  if (stream.end == nullptr || stream.writing) return;
  if (stream.hello_due) {
    stream.hello_due = false;
    stream.writing = true;
    return stream.end->wire()->Write(EncodeBody(MakeHello(MyHello(priority))), "");
  }
  auto out = core_.Next(priority, now);
  if (!out.has_value()) return;
  stream.writing = true;
  stream.end->wire()->Write(std::move(out->body), EncodeNumbers(out->seq, out->ack));
}

// News of one stream may be a frame on the other: what is announced goes out on bulk once both are
// there, whichever came last.
void Link::PumpAll(TimePoint now) {
  for (Priority priority : kPriorities) Pump(priority, now);
}

void Link::StartReads() {
  if (!core_.was_up()) return;
  for (Priority priority : kPriorities) {
    Stream& stream = streams_[Index(priority)];
    if (stream.reading || !core_.attached(priority)) continue;
    stream.reading = true;
    stream.end->wire()->Read();
  }
}

bool Link::Current(const StreamEnd* end) const {
  return streams_[Index(end->priority())].end.get() == end;
}

}  // namespace baton::control
