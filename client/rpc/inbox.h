// Closures that other threads leave for one thread, which owns all state they touch: gRPC's
// callbacks put their results here and need no lock on anything else. Thread-safe.
#ifndef BATON_CLIENT_RPC_INBOX_H_
#define BATON_CLIENT_RPC_INBOX_H_

#include <functional>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"

namespace baton {

class Inbox {
 public:
  using Closure = std::function<void()>;

  // After Close a closure is dropped unrun.
  void Post(Closure closure) {
    MutexLock lock(&mu_);
    if (closed_) return;
    closures_.push_back(std::move(closure));
    changed_.NotifyAll();
  }

  // Waits for closures until `deadline`; returns those there are.
  std::vector<Closure> Take(TimePoint deadline) {
    MutexLock lock(&mu_);
    while (closures_.empty() && !closed_ && changed_.WaitUntil(&mu_, deadline)) {
    }
    return std::exchange(closures_, {});
  }

  void Close() {
    MutexLock lock(&mu_);
    closed_ = true;
    closures_.clear();
    changed_.NotifyAll();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Closure> closures_ ABSL_GUARDED_BY(mu_);
};

}  // namespace baton

#endif  // BATON_CLIENT_RPC_INBOX_H_
