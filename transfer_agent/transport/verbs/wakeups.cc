#include "transfer_agent/transport/verbs/wakeups.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "common/reason.h"

namespace baton::transport::verbs {

Wakeups::Wakeups()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {}

absl::Status Wakeups::Open() {
  if (!epoll_ || !timer_) return SystemError("epoll_create1, timerfd_create", errno);
  return Watch(timer_.get());
}

absl::Status Wakeups::Watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return SystemError("epoll_ctl", errno);
}

void Wakeups::SetTimer(std::optional<TimePoint> at) {
  itimerspec spec{};
  if (at.has_value()) {
    const auto wait = std::max<int64_t>(
        1'000'000,
        std::chrono::duration_cast<std::chrono::nanoseconds>(*at - Monotonic::now()).count());
    spec.it_value.tv_sec = wait / 1'000'000'000;
    spec.it_value.tv_nsec = wait % 1'000'000'000;
  }
  timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

bool Wakeups::TakeTimer() {
  uint64_t expirations = 0;
  return read(timer_.get(), &expirations, sizeof(expirations)) > 0;
}

}  // namespace baton::transport::verbs
