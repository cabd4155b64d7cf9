// Runs a task on every worker and waits for all: how a service thread reads what workers own.
#ifndef BATON_TRANSFER_AGENT_SERVICE_ASK_WORKERS_H_
#define BATON_TRANSFER_AGENT_SERVICE_ASK_WORKERS_H_

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "transfer_agent/worker/worker.h"

namespace baton::agent {

// One after the other, so that `task` needs no lock. False when a worker did not answer within the
// timeout; `task` may then still run: what it captures must outlive it (shared ownership).
inline bool AskWorkers(std::vector<std::unique_ptr<worker::Worker>>& workers,
                       std::function<void(worker::WorkerCore&, TimePoint)> task,
                       std::chrono::milliseconds timeout) {
  for (const auto& worker : workers) {
    auto done = std::make_shared<std::promise<void>>();
    std::future<void> answered = done->get_future();
    const bool posted =
        worker->Post(worker::Lane::kUrgent, [task, done](worker::WorkerCore& core, TimePoint now) {
          task(core, now);
          done->set_value();
        });
    if (!posted || answered.wait_for(timeout) != std::future_status::ready) return false;
  }
  return true;
}

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_SERVICE_ASK_WORKERS_H_
