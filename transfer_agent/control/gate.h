// Counts what is still in flight; Wait returns when nothing is.
#ifndef BATON_TRANSFER_AGENT_CONTROL_GATE_H_
#define BATON_TRANSFER_AGENT_CONTROL_GATE_H_

#include <cstddef>

#include "common/clock.h"
#include "common/mutex.h"

namespace baton::control {

// Thread-safe.
class Gate {
 public:
  // False after Close.
  bool Enter() {
    MutexLock lock(&mu_);
    if (closed_) return false;
    ++inside_;
    return true;
  }
  void Leave() {
    MutexLock lock(&mu_);
    if (--inside_ == 0) empty_.NotifyAll();
  }
  void Close() {
    MutexLock lock(&mu_);
    closed_ = true;
  }
  // After Close. False when something is still inside at the deadline.
  bool WaitUntilEmpty(TimePoint deadline) {
    MutexLock lock(&mu_);
    while (inside_ > 0) {
      if (!empty_.WaitUntil(&mu_, deadline) && inside_ > 0) return false;
    }
    return true;
  }

 private:
  Mutex mu_;
  CondVar empty_;
  size_t inside_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_GATE_H_
