#include "common/accept_loop.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton {
namespace {

constexpr int kTurnMs = 1000;
constexpr auto kStalled = std::chrono::seconds(10);
// Between two lines that some were refused.
constexpr auto kSayPeriod = std::chrono::seconds(10);
// Waited after an accept that failed: what is short comes back when others close.
constexpr int kShortMs = 20;

UniqueFd OpenSpare() { return UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// The address without its port.
std::string PeerOf(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return std::string(reinterpret_cast<const char*>(&v4.sin_addr), sizeof(v4.sin_addr));
  }
  if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    return std::string(reinterpret_cast<const char*>(&v6.sin6_addr), sizeof(v6.sin6_addr));
  }
  return "local";
}

// Of that connection alone: it went before it was taken.
bool OfOne(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM ||
         error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN;
}

}  // namespace

AcceptLoop::AcceptLoop(std::string name, UniqueFd listener, ConnectionLimits limits, First first,
                       Take take)
    : name_(std::move(name)),
      listener_(std::move(listener)),
      take_(std::move(take)),
      quota_(limits),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      spare_(OpenSpare()),
      beaten_(Monotonic::now().time_since_epoch().count()) {
  if (first == First::kServer) self_dial_.emplace(listener_.get());
  // The program's own thread takes its signals.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void AcceptLoop::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const uint64_t one = 1;
  // Without an eventfd the loop ends with its turn.
  (void)!write(wake_.get(), &one, sizeof(one));
  thread_.join();
  listener_.Reset();
}

void AcceptLoop::Run() {
  while (!stopping_) {
    pollfd waits[] = {{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    poll(waits, 2, kTurnMs);
    const TimePoint now = Monotonic::now();
    beaten_ = now.time_since_epoch().count();
    if (waits[1].revents == 0) failing_ = 0;
    if (!stopping_ && waits[1].revents != 0) AcceptAll(now);
    if (!stopping_ && self_dial_.has_value()) {
      self_dial_->Turn(now);
      deaf_ = self_dial_->deaf(now);
    }
  }
}

void AcceptLoop::AcceptAll(TimePoint now) {
  while (!stopping_) {
    sockaddr_storage from = {};
    socklen_t bytes = sizeof(from);
    UniqueFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &bytes,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN) return;
      if (OfOne(errno)) continue;
      failing_ = errno;
      return DropOne();
    }
    failing_ = 0;
    const std::string peer = PeerOf(from);
    const bool ours = self_dial_.has_value() && self_dial_->IsOurs(from);
    if (!ours && !Admit(peer, now)) continue;
    const int on = 1;
    if (peer != "local") setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!quota_.Add(fd.get(), peer)) continue;
    take_(std::move(fd));
  }
}

bool AcceptLoop::Admit(const std::string& peer, TimePoint now) {
  if (quota_.HasRoom(peer, now)) return true;
  ++refused_;
  if (said_ + kSayPeriod <= now) {
    said_ = now;
    LOG(WARNING) << "listener " << name_ << ": connections are refused: " << quota_.held()
                 << " are open (at most " << quota_.limits().all << ", from one address "
                 << quota_.limits().of_peer << ")";
  }
  return false;
}

void AcceptLoop::DropOne() {
  spare_.Reset();
  UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)).Reset();
  spare_ = OpenSpare();
  ++refused_;
  if (const TimePoint now = Monotonic::now(); said_ + kSayPeriod <= now) {
    said_ = now;
    LOG(ERROR) << "listener " << name_
               << ": connections are refused: " << SystemError("accept", failing_).message();
  }
  pollfd wait = {wake_.get(), POLLIN, 0};
  poll(&wait, 1, kShortMs);
}

bool AcceptLoop::turning() const {
  return Monotonic::now() - TimePoint(Duration(beaten_.load())) <= kStalled;
}

absl::Status AcceptLoop::health() const {
  if (!turning()) {
    return Error(Reason::kSystem, absl::StrCat(name_, ": its listener has not turned for 10 s"));
  }
  if (deaf_) {
    return Error(Reason::kSystem, absl::StrCat(name_, ": nobody has answered at its own port for ",
                                               SelfDial::kDeafAfter.count(), " s"));
  }
  if (const int error = failing_; error != 0) {
    return SystemError(absl::StrCat(name_, ": no connection can be accepted"), error);
  }
  return absl::OkStatus();
}

}  // namespace baton
