// A few threads that run tasks, for tests.
#ifndef BATON_TRANSFER_AGENT_CONTROL_TASK_POOL_H_
#define BATON_TRANSFER_AGENT_CONTROL_TASK_POOL_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/mutex.h"

namespace baton::control {

// Thread-safe. Its destructor runs what is queued and joins.
class TaskPool {
 public:
  explicit TaskPool(int threads);
  ~TaskPool();
  void Run(std::function<void()> task);

 private:
  void Work();

  Mutex mu_;
  CondVar wake_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_TASK_POOL_H_
