// One thread for each client: notices the agent's end or silence, and attaches to its next start.
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/engine/attached_engine.h"
#include "common/log.h"
#include "common/shm_abi/attach_limits.h"

namespace baton {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr auto kStall = std::chrono::milliseconds(shm_abi::kStallMs);
constexpr auto kAttachPauseMin = std::chrono::milliseconds(50);
constexpr auto kAttachPauseMax = std::chrono::milliseconds(1000);

bool Readable(int fd) {
  pollfd look = {fd, POLLIN, 0};
  return poll(&look, 1, 0) > 0;
}

// The agent never sends after its answer: whatever is readable is the end.
bool ConnectionEnded(int fd) {
  pollfd look = {fd, POLLIN | POLLRDHUP, 0};
  return poll(&look, 1, 0) > 0;
}

}  // namespace

void AttachedEngine::RunOnWatch() {
  while (!stop_.load()) {
    WaitOnWatch();
    if (stop_.load()) return;
    LookOnWatch();
  }
}

// Until something happens, but no longer than a tick.
void AttachedEngine::WaitOnWatch() {
  std::vector<pollfd> fds = {{wake_.get(), POLLIN, 0}};
  {
    MutexLock lock(&mu_);
    if (attachment_.has_value()) {
      fds.push_back({attachment_->connection.get(), POLLIN | POLLRDHUP, 0});
      fds.push_back({attachment_->pidfd.get(), POLLIN, 0});
    }
    for (const Ghost& ghost : ghosts_) fds.push_back({ghost.pidfd.get(), POLLIN, 0});
  }
  poll(fds.data(), fds.size(), static_cast<int>(kTick.count()));
}

void AttachedEngine::LookOnWatch() {
  const TimePoint now = Monotonic::now();
  bool attached = false;
  std::string ended;
  {
    MutexLock lock(&mu_);
    attached = attachment_.has_value();
    if (attached && Readable(attachment_->pidfd.get())) {
      ended = "the agent's process has ended";
    } else if (attached && ConnectionEnded(attachment_->connection.get())) {
      ended = "the agent ended the connection";
    }
  }
  if (!ended.empty()) {
    EndAttachmentOnWatch(ended);
    attached = false;
  }
  LookAtGhostsOnWatch();
  if (attached) {
    LookAtHeartbeatOnWatch(now);
  } else if (now >= attach_at_) {
    AttachAgainOnWatch();
  }
}

void AttachedEngine::LookAtHeartbeatOnWatch(TimePoint now) {
  uint64_t heartbeat = table_.header().heartbeat.load(std::memory_order_relaxed);
  // A look counts for two ticks at most: if this process or its machine was stopped, the agent had
  // no chance to beat either.
  Duration passed = std::min<Duration>(now - looked_at_, 2 * kTick);
  looked_at_ = now;
  MutexLock lock(&mu_);
  if (heartbeat != heartbeat_) {
    heartbeat_ = heartbeat;
    silent_ = Duration::zero();
    if (!attached_.load(std::memory_order_relaxed)) {
      // It lives. Rooms that were given up are ended by it, and their release shows in the table.
      LOG(INFO) << ToString(rank_) << " hears its agent again";
      attached_.store(true, std::memory_order_release);
      AbortLostRooms();
    }
  } else if ((silent_ += passed) >= kStall && attached_.load(std::memory_order_relaxed)) {
    attached_.store(false, std::memory_order_release);
    std::string why = absl::StrCat("the agent has shown no heartbeat for ", kStall.count(),
                                   " ms; it may be stopped, so its pages are not released");
    LOG(WARNING) << ToString(rank_) << " lost its agent: " << why;
    LoseRooms(why);
  }
  PayOwed();
}

void AttachedEngine::EndAttachmentOnWatch(const std::string& why) {
  MutexLock lock(&mu_);
  LOG(WARNING) << ToString(rank_) << " lost its agent: " << why;
  attached_.store(false, std::memory_order_release);
  LoseRooms(why);
  KeepEndings();
  ghosts_.push_back({attachment_number_, attachment_->epoch, std::move(attachment_->pidfd)});
  producer_.reset();
  attachment_.reset();
  // What was owed is owed to nobody; slots that waited for their Close are free.
  for (const Owed& owed : owed_) SettleOwed(owed);
  owed_.clear();
  attach_at_ = Monotonic::now();
  attach_pause_ = kAttachPauseMin;
  last_refusal_.clear();
}

void AttachedEngine::LookAtGhostsOnWatch() {
  MutexLock lock(&mu_);
  auto dead = [&](const Ghost& ghost) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (!Readable(ghost.pidfd.get())) return false;
    ReleaseRooms(ghost.attachment);
    return true;
  };
  ghosts_.erase(std::remove_if(ghosts_.begin(), ghosts_.end(), dead), ghosts_.end());
}

void AttachedEngine::ReleaseGhostsOf(Epoch epoch) {
  for (const Ghost& ghost : ghosts_) {
    if (ghost.epoch == epoch) ReleaseRooms(ghost.attachment);
  }
  auto same = [epoch](const Ghost& ghost) { return ghost.epoch == epoch; };
  ghosts_.erase(std::remove_if(ghosts_.begin(), ghosts_.end(), same), ghosts_.end());
}

void AttachedEngine::AttachAgainOnWatch() {
  auto keep_going = [this] {
    LookAtGhostsOnWatch();
    return !stop_.load();
  };
  TimePoint deadline = Monotonic::now() + options_.attach_timeout;
  absl::StatusOr<Attachment> got = AttachToAgent(options_, deadline, keep_going);
  if (stop_.load()) return;
  MutexLock lock(&mu_);
  absl::Status adopted = got.ok() ? absl::OkStatus() : got.status();
  if (got.ok()) {
    const Epoch epoch = got->epoch;
    adopted = Adopt(*std::move(got));
    if (adopted.ok()) {
      heartbeat_ = table_.header().heartbeat.load(std::memory_order_relaxed);
      silent_ = Duration::zero();
      looked_at_ = Monotonic::now();
      // An agent accepts a rank again only when every room of its former attachment is released.
      ReleaseGhostsOf(epoch);
      return;
    }
  }
  if (adopted.message() != last_refusal_) {
    LOG(WARNING) << ToString(rank_) << " is not attached: " << adopted.message();
    last_refusal_ = std::string(adopted.message());
  }
  attach_at_ = Monotonic::now() + attach_pause_;
  attach_pause_ = std::min<Duration>(attach_pause_ * 2, kAttachPauseMax);
}

}  // namespace baton
