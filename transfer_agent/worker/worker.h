// A worker's thread: runs a WorkerCore, sleeps when there is nothing to do, busy-polls only while
// there is. docs/design/threads.md tells why one thread owns rooms and data path alike.
#ifndef BATON_TRANSFER_AGENT_WORKER_WORKER_H_
#define BATON_TRANSFER_AGENT_WORKER_WORKER_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/unique_fd.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {

enum class Lane { kUrgent, kBulk };

// Thread-safe. Tasks run on the worker's thread, urgent ones first, in order within their lane.
class Worker {
 public:
  using Task = absl::AnyInvocable<void(WorkerCore&, TimePoint)>;

  // `spin`: how long to poll on after the last work. Owns core and transports.
  Worker(std::unique_ptr<WorkerCore> core,
         std::vector<std::unique_ptr<transport::Transport>> transports,
         std::chrono::microseconds spin);
  // Stops.
  ~Worker();

  void Start();
  // Runs what is queued, then ends the thread; later tasks are dropped. Idempotent.
  void Stop();

  // On any thread: what is slow about the rank's memory, ahead of AddRank.
  void Prepare(const attach::AttachedRank& rank) const;
  const WorkerMetrics& metrics() const { return core_->metrics(); }
  // When the thread last turned: at most about a second ago, while it is well.
  TimePoint beaten() const { return TimePoint(Duration(beaten_.load(std::memory_order_relaxed))); }

  // False when the lane holds kTasksMax already, or the worker has stopped.
  bool Post(Lane lane, Task task);

 private:
  static constexpr size_t kTasksMax = 262144;

  void Loop();
  bool RunTasks(TimePoint now);
  void Sleep(TimePoint now);
  void SyncDoorbells();
  // False when the kernel has no room for it.
  bool Watch(int fd, uint32_t events);

  const std::vector<std::unique_ptr<transport::Transport>> transports_;
  const std::unique_ptr<WorkerCore> core_;
  const std::chrono::microseconds spin_;
  UniqueFd epoll_;
  UniqueFd wake_;
  // Descriptors of our own: an engine shares the original's file, so closing ours would not take
  // it out of the epoll set.
  absl::flat_hash_map<AttachmentId, UniqueFd> doorbells_;
  TimePoint last_beat_;
  std::atomic<Duration::rep> beaten_{0};  // last_beat_, for other threads
  TimePoint last_work_;

  Mutex mu_;
  std::vector<Task> urgent_ ABSL_GUARDED_BY(mu_);
  std::vector<Task> bulk_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> pending_{false};
  std::thread thread_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_WORKER_H_
