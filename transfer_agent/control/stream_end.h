// Joins a wire to its link. An accepted wire has no link before its first frame, the Hello, has
// said whose it is.
#ifndef BATON_TRANSFER_AGENT_CONTROL_STREAM_END_H_
#define BATON_TRANSFER_AGENT_CONTROL_STREAM_END_H_

#include <memory>
#include <utility>

#include "common/mutex.h"
#include "transfer_agent/control/link.h"
#include "transfer_agent/control/wire.h"

namespace baton::control {

// Where an accepted wire's first frame goes. Thread-safe.
class Greeter {
 public:
  virtual ~Greeter() = default;
  virtual void Greet(const std::shared_ptr<StreamEnd>& end, absl::StatusOr<v1::Frame> frame) = 0;
  virtual void OnUngreetedClosed(StreamEnd* end) = 0;
};

class StreamEnd : public WireEvents, public std::enable_shared_from_this<StreamEnd> {
 public:
  // Of a dialled wire.
  StreamEnd(std::shared_ptr<Link> link, Priority priority)
      : link_(std::move(link)), priority_(priority) {}
  // Of an accepted one.
  StreamEnd(Greeter* greeter, std::shared_ptr<Wire> wire)
      : greeter_(greeter), wire_(std::move(wire)) {}

  Priority priority() const { return priority_; }
  Wire* wire() const { return wire_.get(); }
  const std::shared_ptr<Wire>& shared_wire() const { return wire_; }
  // Before the first use of wire().
  void SetWire(std::shared_ptr<Wire> wire) { wire_ = std::move(wire); }
  void Join(std::shared_ptr<Link> link, Priority priority) {
    priority_ = priority;
    MutexLock lock(&mu_);
    link_ = std::move(link);
  }

  void OnRead(absl::StatusOr<v1::Frame> frame, size_t bytes) override {
    if (auto joined = link()) return joined->OnRead(this, std::move(frame), bytes);
    greeter_->Greet(shared_from_this(), std::move(frame));
  }
  void OnWritten() override {
    if (auto joined = link()) joined->OnWritten(this);
  }
  void OnClosed(const absl::Status& why) override {
    if (greeter_ != nullptr) greeter_->OnUngreetedClosed(this);
    if (auto joined = link()) joined->OnClosed(this, why);
  }

 private:
  std::shared_ptr<Link> link() const {
    MutexLock lock(&mu_);
    return link_;
  }

  Greeter* const greeter_ = nullptr;
  mutable Mutex mu_;
  std::shared_ptr<Link> link_ ABSL_GUARDED_BY(mu_);
  Priority priority_ = Priority::kBulk;
  std::shared_ptr<Wire> wire_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_STREAM_END_H_
