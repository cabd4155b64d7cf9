#include "transfer_agent/attach/attach_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/reason.h"
#include "common/unix_socket.h"
#include "transfer_agent/attach/attach_loop.h"

namespace baton::attach {
namespace {

constexpr int kBacklog = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<AttachServer>> AttachServer::Start(AttachOptions options,
                                                                  AttachEvents* events) {
  auto loop = std::make_unique<AttachLoop>(std::move(options), events);
  if (absl::Status s = loop->Open(); !s.ok()) return s;
  return loop;
}

absl::Status AttachLoop::Open() {
  absl::StatusOr<UniqueFd> listener =
      ListenSeqPacket(options_.socket_path, kBacklog, options_.socket_mode);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!pidfd_) return SystemError("pidfd_open (Linux 5.3 or newer is needed)", errno);
  fcntl(pidfd_.get(), F_SETFD, FD_CLOEXEC);
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  wake_ = UniqueFd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  spare_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  if (!epoll_ || !wake_ || !spare_) {
    return SystemError("descriptors of the attach server (raise RLIMIT_NOFILE)", errno);
  }
  if (!Watch(listener_.get(), kListenerId) || !Watch(wake_.get(), kWakeId)) {
    return SystemError("epoll_ctl", errno);
  }
  thread_ = std::thread([this] { RunOnLoop(); });
  return absl::OkStatus();
}

void AttachLoop::WakeLoop() {
  uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

void AttachLoop::Detach(AttachmentId id) {
  {
    MutexLock lock(&mu_);
    to_detach_.push_back(id);
  }
  WakeLoop();
}

void AttachLoop::Stop() {
  if (!thread_.joinable()) return;
  stop_.store(true);
  WakeLoop();
  thread_.join();
  // Nobody can connect any more; engines that are attached keep their connection through their
  // rank.
  unlink(options_.socket_path.c_str());
  listener_.Reset();
  connections_.clear();
}

}  // namespace baton::attach
