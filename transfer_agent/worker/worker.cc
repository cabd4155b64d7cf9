#include "transfer_agent/worker/worker.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/worker/local_regions.h"

namespace baton::worker {
namespace {

// Engines take an agent for stalled after many of these.
constexpr auto kBeat = std::chrono::milliseconds(80);

}  // namespace

Worker::Worker(std::unique_ptr<WorkerCore> core,
               std::vector<std::unique_ptr<transport::Transport>> transports,
               std::chrono::microseconds spin)
    : transports_(std::move(transports)),
      core_(std::move(core)),
      spin_(spin),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(epoll_ && wake_) << "out of file descriptors";
  CHECK(Watch(wake_.get(), EPOLLIN)) << "out of memory";
  for (const auto& transport : transports_) {
    CHECK(Watch(transport->wait_fd(), EPOLLIN)) << "out of memory";
  }
}

Worker::~Worker() { Stop(); }

bool Worker::Watch(int fd, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Worker::Start() {
  beaten_ = Monotonic::now().time_since_epoch().count();
  thread_ = std::thread([this] { Loop(); });
}

void Worker::Stop() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  pending_ = true;
  eventfd_write(wake_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

void Worker::Prepare(const attach::AttachedRank& rank) const {
  for (const auto& transport : transports_) transport->PrepareMemory(LocalRegionsOf(rank));
}

bool Worker::Post(Lane lane, Task task) {
  bool first = false;
  {
    MutexLock lock(&mu_);
    std::vector<Task>& tasks = lane == Lane::kUrgent ? urgent_ : bulk_;
    if (stopping_ || tasks.size() >= kTasksMax) return false;
    first = urgent_.empty() && bulk_.empty();
    tasks.push_back(std::move(task));
    pending_ = true;
  }
  if (first) eventfd_write(wake_.get(), 1);
  return true;
}

bool Worker::RunTasks(TimePoint now) {
  if (!pending_.load(std::memory_order_acquire)) return false;
  std::vector<Task> urgent;
  std::vector<Task> bulk;
  {
    MutexLock lock(&mu_);
    urgent.swap(urgent_);
    bulk.swap(bulk_);
    pending_ = stopping_;
  }
  for (Task& task : urgent) task(*core_, now);
  for (Task& task : bulk) task(*core_, now);
  SyncDoorbells();
  return !urgent.empty() || !bulk.empty();
}

void Worker::SyncDoorbells() {
  const auto current = core_->Doorbells();
  for (auto it = doorbells_.begin(); it != doorbells_.end();) {
    auto next = std::next(it);
    const bool gone = std::none_of(current.begin(), current.end(),
                                   [&](const auto& d) { return d.first == it->first; });
    if (gone) {
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, it->second.get(), nullptr);
      doorbells_.erase(it);
    }
    it = next;
  }
  for (const auto& [id, fd] : current) {
    if (doorbells_.contains(id)) continue;
    UniqueFd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    // Each ring is an edge, and nothing is read: the engine shares the file's flags and its count,
    // and could make a read wait for ever.
    if (own && Watch(own.get(), EPOLLIN | EPOLLET)) {
      doorbells_.emplace(id, std::move(own));
      continue;
    }
    core_->LetGo(id, SystemError("the doorbell cannot be watched", errno));
  }
}

void Worker::Loop() {
  bool was_busy = false;
  TimePoint before = Monotonic::now();
  while (true) {
    const TimePoint now = Monotonic::now();
    if (was_busy) core_->CountBusy(now - before);
    before = now;
    bool worked = RunTasks(now);
    worked |= core_->Poll(now);
    if (now - last_beat_ >= kBeat) {
      last_beat_ = now;
      beaten_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
      core_->Heartbeat();
    }
    was_busy = worked;
    if (worked) {
      last_work_ = now;
      continue;
    }
    if (pending_) {
      MutexLock lock(&mu_);
      if (stopping_ && urgent_.empty() && bulk_.empty()) return;
      continue;
    }
    if (now - last_work_ < spin_) continue;
    Sleep(now);
  }
}

void Worker::Sleep(TimePoint now) {
  // Say so first, look once more after: an engine that publishes in between sees the flag.
  core_->SetAsleep(true);
  bool idle = core_->RingsEmpty() && !pending_;
  for (const auto& transport : transports_) idle = idle && transport->PrepareToSleep();
  if (idle) {
    TimePoint until = last_beat_ + kBeat;
    if (auto next = core_->NextDeadline(); next.has_value()) until = std::min(until, *next);
    // With no rank attached there is no table to beat in.
    if (doorbells_.empty()) until = now + std::chrono::seconds(1);
    epoll_event events[16];
    const int ready =
        epoll_wait(epoll_.get(), events, 16, static_cast<int>(MillisLeft(until, now, 1000)));
    for (int i = 0; i < ready; ++i) {
      eventfd_t rung = 0;
      // What was rung for is found by polling.
      if (events[i].data.fd == wake_.get()) eventfd_read(wake_.get(), &rung);
    }
  }
  core_->SetAsleep(false);
}

}  // namespace baton::worker
