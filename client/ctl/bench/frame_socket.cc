#include "client/ctl/bench/frame_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

constexpr size_t kFrameBytesMax = 1 << 20;
constexpr int kSendMs = 1000;
constexpr int kConnectMs = 5000;

struct FreeAddress {
  void operator()(addrinfo* info) const { freeaddrinfo(info); }
};
using Address = std::unique_ptr<addrinfo, FreeAddress>;

absl::StatusOr<Address> Resolve(const std::string& address, int flags) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const std::string port = address.substr(colon + 1);
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return Error(Reason::kConfig, absl::StrCat(address, ": ", gai_strerror(error)));
  }
  return Address(found);
}

std::string Numeric(const sockaddr_storage& address, socklen_t size, bool with_port) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof(host), port,
                  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  const bool v6 = address.ss_family == AF_INET6;
  const std::string shown = v6 && with_port ? absl::StrCat("[", host, "]") : host;
  return with_port ? absl::StrCat(shown, ":", port) : shown;
}

void SetUp(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

}  // namespace

FrameSocket::FrameSocket(UniqueFd fd) : fd_(std::move(fd)) { SetUp(fd_.get()); }

absl::Status FrameSocket::Send(const v1::BenchFrame& frame) {
  const std::string body = frame.SerializeAsString();
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>(body.size() >> shift & 0xff));
  }
  bytes += body;
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += n;
      continue;
    }
    pollfd wait{fd_.get(), POLLOUT, 0};
    if (errno != EAGAIN || poll(&wait, 1, kSendMs) != 1) {
      return Error(Reason::kPeerLost, "the other bench has gone, or takes nothing");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::BenchFrame>> FrameSocket::Receive() {
  char buffer[64 << 10];
  const ssize_t n = recv(fd_.get(), buffer, sizeof(buffer), 0);
  if (n > 0) received_.append(buffer, n);
  const bool over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  if (received_.size() < 4) {
    if (over) return Error(Reason::kPeerLost, "the other bench has gone");
    return std::optional<v1::BenchFrame>();
  }
  size_t size = 0;
  for (int i = 0; i < 4; ++i) size |= size_t{static_cast<uint8_t>(received_[i])} << (8 * i);
  if (size > kFrameBytesMax) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("a message of ", size, " bytes: is that a batonctl bench?"));
  }
  if (received_.size() < 4 + size) {
    if (over) return Error(Reason::kPeerLost, "the other bench has gone");
    return std::optional<v1::BenchFrame>();
  }
  v1::BenchFrame frame;
  if (!frame.ParseFromArray(received_.data() + 4, static_cast<int>(size))) {
    return Error(Reason::kBadMessage, "the other end is no batonctl bench, or of another version");
  }
  received_.erase(0, 4 + size);
  if (!frame.failed().empty()) return Error(Reason::kPeerRefused, frame.failed());
  return std::optional<v1::BenchFrame>(std::move(frame));
}

std::string FrameSocket::LocalHost() const {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return address.ss_family == AF_UNIX ? "" : Numeric(address, size, false);
}

absl::StatusOr<std::pair<UniqueFd, UniqueFd>> SocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return SystemError("socketpair", errno);
  }
  return std::make_pair(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

absl::StatusOr<UniqueFd> ListenAt(const std::string& address, std::string* bound) {
  auto resolved = Resolve(address, AI_PASSIVE);
  if (!resolved.ok()) return resolved.status();
  UniqueFd fd(socket((*resolved)->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (!fd || bind(fd.get(), (*resolved)->ai_addr, (*resolved)->ai_addrlen) != 0 ||
      listen(fd.get(), 4) != 0) {
    return Error(Reason::kConfig,
                 absl::StrCat("--listen=", address, " cannot be bound: ", strerror(errno)));
  }
  sockaddr_storage at = {};
  socklen_t size = sizeof(at);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  *bound = Numeric(at, size, true);
  return fd;
}

absl::StatusOr<UniqueFd> AcceptOne(int listener) {
  while (true) {
    UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) return fd;
    if (errno != EINTR && errno != ECONNABORTED) return SystemError("accept", errno);
  }
}

absl::StatusOr<UniqueFd> ConnectTo(const std::string& address) {
  auto resolved = Resolve(address, 0);
  if (!resolved.ok()) return resolved.status();
  UniqueFd fd(socket((*resolved)->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return SystemError("socket", errno);
  int error = 0;
  if (connect(fd.get(), (*resolved)->ai_addr, (*resolved)->ai_addrlen) != 0) error = errno;
  if (error == EINPROGRESS) {
    pollfd wait{fd.get(), POLLOUT, 0};
    socklen_t size = sizeof(error);
    error = ETIMEDOUT;
    if (poll(&wait, 1, kConnectMs) == 1) {
      getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return fd;
  return Error(Reason::kPeerLost,
               absl::StrCat("no batonctl bench serve at ", address, ": ", strerror(error)));
}

}  // namespace baton::ctl
