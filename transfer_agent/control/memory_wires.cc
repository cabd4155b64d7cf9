#include "transfer_agent/control/memory_wires.h"

#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::control {

// One end of a wire. Its events run one after another; OnClosed is the last.
class MemoryWire : public Wire, public std::enable_shared_from_this<MemoryWire> {
 public:
  explicit MemoryWire(MemoryNet* net) : net_(net) {}

  void Connect(const std::shared_ptr<MemoryWire>& other) { other_ = other; }
  // Events may be posted from now on.
  void Attend(std::shared_ptr<WireEvents> events) {
    MutexLock lock(&mu_);
    events_ = std::move(events);
    Schedule();
  }

  void Read() override {
    MutexLock lock(&mu_);
    wants_read_ = true;
    Schedule();
  }
  void Write(Body body, std::string numbers) override {
    if (auto other = other_.lock()) other->Arrive(absl::StrCat(*body, numbers));
    MutexLock lock(&mu_);
    written_ = true;
    Schedule();
  }
  void Close(const absl::Status& why) override {
    if (auto other = other_.lock()) other->Break(why);
    Break(Error(Reason::kAborted, "closed at this end"));
  }
  void Abort() override { Close(Error(Reason::kPeerLost, "the wire broke")); }

  void Break(const absl::Status& why) {
    MutexLock lock(&mu_);
    if (!closed_.has_value()) closed_ = why;
    Schedule();
  }
  bool open() {
    MutexLock lock(&mu_);
    return !closed_.has_value();
  }
  // The net is no longer stalled.
  void Wake() {
    MutexLock lock(&mu_);
    Schedule();
  }

 private:
  void Arrive(std::string bytes) {
    MutexLock lock(&mu_);
    inbox_.push_back(std::move(bytes));
    Schedule();
  }
  void Schedule() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (running_ || ended_ || events_ == nullptr) return;
    running_ = true;
    net_->pool_.Run([self = shared_from_this()] { self->RunEvents(); });
  }
  bool stalled() {
    MutexLock lock(&net_->mu_);
    return net_->stalled_;
  }
  // The next event that is due, or nothing.
  std::function<void(WireEvents*)> NextEvent(bool stalled) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (closed_.has_value()) {
      ended_ = true;
      return [why = *closed_](WireEvents* events) { events->OnClosed(why); };
    }
    if (stalled) return nullptr;
    if (std::exchange(written_, false)) return [](WireEvents* events) { events->OnWritten(); };
    if (!wants_read_ || inbox_.empty()) return nullptr;
    wants_read_ = false;
    std::string bytes = std::move(inbox_.front());
    inbox_.pop_front();
    return [bytes](WireEvents* events) {
      v1::Frame frame;
      if (frame.ParseFromString(bytes)) return events->OnRead(std::move(frame), bytes.size());
      events->OnRead(Error(Reason::kBadMessage, "no frame"), bytes.size());
    };
  }
  void RunEvents() {
    while (true) {
      const bool stalled_now = stalled();
      std::shared_ptr<WireEvents> events;
      std::function<void(WireEvents*)> event;
      {
        MutexLock lock(&mu_);
        event = NextEvent(stalled_now);
        if (event == nullptr) {
          running_ = false;
          return;
        }
        events = events_;
        if (ended_) events_ = nullptr;
      }
      event(events.get());
      if (MutexLock lock(&mu_); ended_) return;
    }
  }

  MemoryNet* const net_;
  std::weak_ptr<MemoryWire> other_;
  Mutex mu_;
  std::shared_ptr<WireEvents> events_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> inbox_ ABSL_GUARDED_BY(mu_);
  bool wants_read_ ABSL_GUARDED_BY(mu_) = false;
  bool written_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mu_);
  bool running_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

class MemoryWires : public Wires {
 public:
  explicit MemoryWires(MemoryNet* net) : net_(net) {}
  ~MemoryWires() override { Shutdown(); }

  absl::StatusOr<std::string> Listen(const std::string& address, Accept accept) override {
    listener_ = std::make_shared<MemoryNet::Listener>();
    listener_->accept = [this, accept](std::shared_ptr<Wire> wire) {
      return Count(std::static_pointer_cast<MemoryWire>(wire), accept(wire));
    };
    address_ = address;
    MutexLock lock(&net_->mu_);
    if (net_->listeners_.emplace(address, listener_).second) return address;
    return Error(Reason::kConfig, absl::StrCat(address, " is taken"));
  }
  std::shared_ptr<Wire> Dial(const std::string& address,
                             std::shared_ptr<WireEvents> events) override;
  void Shutdown() override;

 private:
  // Forgets events when the wire has closed, so that Shutdown can wait for the last.
  class Counted;

  std::shared_ptr<MemoryWire> NewWire() {
    auto wire = std::make_shared<MemoryWire>(net_);
    MutexLock lock(&net_->mu_);
    net_->wires_.push_back(wire);
    return wire;
  }
  std::shared_ptr<WireEvents> Count(const std::shared_ptr<MemoryWire>& wire,
                                    std::shared_ptr<WireEvents> events);

  MemoryNet* const net_;
  std::string address_;
  std::shared_ptr<MemoryNet::Listener> listener_;
  Mutex mu_;
  CondVar none_open_;
  std::map<MemoryWire*, std::shared_ptr<MemoryWire>> open_ ABSL_GUARDED_BY(mu_);
  bool shut_ ABSL_GUARDED_BY(mu_) = false;
};

class MemoryWires::Counted : public WireEvents {
 public:
  Counted(MemoryWires* wires, MemoryWire* wire, std::shared_ptr<WireEvents> events)
      : wires_(wires), wire_(wire), events_(std::move(events)) {}
  void OnRead(absl::StatusOr<v1::Frame> frame, size_t bytes) override {
    events_->OnRead(std::move(frame), bytes);
  }
  void OnWritten() override { events_->OnWritten(); }
  void OnClosed(const absl::Status& why) override {
    events_->OnClosed(why);
    events_ = nullptr;
    MutexLock lock(&wires_->mu_);
    wires_->open_.erase(wire_);
    wires_->none_open_.NotifyAll();
  }

 private:
  MemoryWires* const wires_;
  MemoryWire* const wire_;
  std::shared_ptr<WireEvents> events_;
};

std::shared_ptr<WireEvents> MemoryWires::Count(const std::shared_ptr<MemoryWire>& wire,
                                               std::shared_ptr<WireEvents> events) {
  MutexLock lock(&mu_);
  open_[wire.get()] = wire;
  if (shut_) wire->Break(Error(Reason::kAborted, "shut down"));
  return std::make_shared<Counted>(this, wire.get(), std::move(events));
}

std::shared_ptr<Wire> MemoryWires::Dial(const std::string& address,
                                        std::shared_ptr<WireEvents> events) {
  auto mine = NewWire();
  auto theirs = NewWire();
  mine->Connect(theirs);
  theirs->Connect(mine);
  mine->Attend(Count(mine, std::move(events)));
  // On another thread, as a server would: accepting may take locks that the dialler holds.
  net_->pool_.Run([net = net_, address, mine, theirs] {
    auto listener = net->Find(address);
    if (listener == nullptr || !listener->accepting.Enter()) {
      return mine->Break(Error(Reason::kPeerLost, "connection refused"));
    }
    theirs->Attend(listener->accept(theirs));
    listener->accepting.Leave();
  });
  return mine;
}

void MemoryWires::Shutdown() {
  if (listener_ != nullptr) {
    {
      MutexLock lock(&net_->mu_);
      net_->listeners_.erase(address_);
    }
    listener_->accepting.Close();
    CHECK(listener_->accepting.WaitUntilEmpty(Monotonic::now() + std::chrono::minutes(1)));
    listener_ = nullptr;
  }
  MutexLock lock(&mu_);
  shut_ = true;
  for (const auto& [key, wire] : open_) wire->Abort();
  while (!open_.empty()) {
    none_open_.WaitUntil(&mu_, Monotonic::now() + std::chrono::seconds(1));
  }
}

std::unique_ptr<Wires> MemoryNet::MakeWires() { return std::make_unique<MemoryWires>(this); }

std::shared_ptr<MemoryNet::Listener> MemoryNet::Find(const std::string& address) {
  MutexLock lock(&mu_);
  auto found = listeners_.find(address);
  return found == listeners_.end() ? nullptr : found->second;
}

void MemoryNet::Cut(uint64_t n) {
  std::shared_ptr<MemoryWire> wire;
  {
    MutexLock lock(&mu_);
    std::vector<std::weak_ptr<MemoryWire>> open;
    for (const auto& weak : wires_) {
      if (auto strong = weak.lock(); strong != nullptr && strong->open()) open.push_back(weak);
    }
    wires_ = std::move(open);
    if (!wires_.empty()) wire = wires_[n % wires_.size()].lock();
  }
  if (wire != nullptr) wire->Abort();
}

void MemoryNet::Stall(bool stalled) {
  std::vector<std::weak_ptr<MemoryWire>> wires;
  {
    MutexLock lock(&mu_);
    stalled_ = stalled;
    wires = wires_;
  }
  for (const auto& weak : wires) {
    if (auto wire = weak.lock()) wire->Wake();
  }
}

}  // namespace baton::control
