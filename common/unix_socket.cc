#include "common/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton {
namespace {

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Error(Reason::kConfig,
                 absl::StrCat("the socket path '", path, "' has ", path.size(),
                              " bytes: give one of 1 to ", sizeof(address.sun_path) - 1));
  }
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// SOCK_SEQPACKET or SOCK_STREAM.
absl::StatusOr<UniqueFd> NewSocket(int type) {
  UniqueFd fd(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SystemError("socket(AF_UNIX)", errno);
  return fd;
}

int Connect(int fd, const sockaddr_un& address) {
  int rc;
  do {
    rc = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } while (rc != 0 && errno == EINTR);
  return rc == 0 ? 0 : errno;
}

// A socket file outlives a listener that was killed. It is removed only if nobody answers there;
// a listener of another type does, with EPROTOTYPE.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return Error(Reason::kConfig, absl::StrCat("'", path, "' exists and is no socket"));
  }
  absl::StatusOr<UniqueFd> probe = NewSocket(SOCK_SEQPACKET);
  if (!probe.ok()) return probe.status();
  if (Connect(probe->get(), address) != ECONNREFUSED) {
    return Error(Reason::kConfig, absl::StrCat("another process listens on '", path,
                                               "': stop it, or give another path"));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Listen(int type, const std::string& path, int backlog, mode_t mode) {
  absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  if (absl::Status s = RemoveStale(path, *address); !s.ok()) return s;
  absl::StatusOr<UniqueFd> fd = NewSocket(type);
  if (!fd.ok()) return fd;
  // The file is born with the socket's own mode, less the umask: never with more than asked for.
  if (fchmod(fd->get(), mode) != 0) return SystemError("fchmod of a socket", errno);
  if (bind(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    return Error(Reason::kConfig,
                 absl::StrCat("cannot bind the socket '", path, "': ", strerror(errno)));
  }
  if (chmod(path.c_str(), mode) != 0) {
    return SystemError(absl::StrCat("chmod of the socket '", path, "'"), errno);
  }
  if (listen(fd->get(), backlog) != 0) return SystemError("listen", errno);
  return fd;
}

// Takes over every descriptor that came with the packet, also those we did not want.
void TakeFds(msghdr* header, Packet* packet) {
  for (cmsghdr* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      packet->fds.emplace_back(fd);
    }
  }
}

}  // namespace

absl::StatusOr<UniqueFd> ListenSeqPacket(const std::string& path, int backlog, mode_t mode) {
  return Listen(SOCK_SEQPACKET, path, backlog, mode);
}

absl::StatusOr<UniqueFd> ListenStream(const std::string& path, int backlog, mode_t mode) {
  return Listen(SOCK_STREAM, path, backlog, mode);
}

absl::StatusOr<UniqueFd> ConnectSeqPacket(const std::string& path) {
  absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  absl::StatusOr<UniqueFd> fd = NewSocket(SOCK_SEQPACKET);
  if (!fd.ok()) return fd;
  int error_number = Connect(fd->get(), *address);
  if (error_number == 0) return fd;
  std::string what = absl::StrCat("connecting to '", path, "': ", strerror(error_number));
  switch (error_number) {
    case ENOENT:
    case ECONNREFUSED:
    case EAGAIN:  // the backlog is full
      return absl::UnavailableError(what);
    default:
      return Error(Reason::kConfig, what);
  }
}

absl::StatusOr<UniqueFd> AcceptSeqPacket(int listener) {
  while (true) {
    UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) return fd;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return UniqueFd();
    return SystemError("accept", errno);
  }
}

absl::Status SendPacket(int fd, absl::string_view bytes, absl::Span<const int> fds) {
  if (fds.size() > kPacketFdsMax) {
    return Error(Reason::kTooLarge, absl::StrCat(fds.size(), " descriptors in one packet"));
  }
  iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kPacketFdsMax * sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return absl::OkStatus();
  switch (errno) {
    case EAGAIN:
      return absl::UnavailableError("the socket's buffer is full");
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
      return Error(Reason::kPeerLost, "the other end has closed the connection");
    case EMSGSIZE:
      return Error(Reason::kTooLarge, absl::StrCat("a packet of ", bytes.size(), " bytes"));
    default:
      return SystemError("sendmsg", errno);
  }
}

absl::StatusOr<std::optional<Packet>> ReceivePacket(int fd, size_t bytes_max, size_t fds_max) {
  if (fds_max > kPacketFdsMax) fds_max = kPacketFdsMax;
  Packet packet;
  packet.bytes.resize(bytes_max);
  iovec part = {packet.bytes.data(), packet.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kPacketFdsMax * sizeof(int))];
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  // The kernel rounds up to a whole cmsg: the exact length keeps a surplus descriptor out.
  header.msg_controllen = CMSG_LEN(fds_max * sizeof(int));
  ssize_t got;
  do {
    got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::optional<Packet>();
  if (got < 0 && errno == ECONNRESET) {
    return Error(Reason::kPeerLost, "the other end has reset the connection");
  }
  if (got < 0) return SystemError("recvmsg", errno);
  packet.bytes.resize(static_cast<size_t>(got));
  TakeFds(&header, &packet);
  packet.end = got == 0 && packet.fds.empty();
  packet.truncated = (header.msg_flags & MSG_TRUNC) != 0;
  packet.fds_lost = (header.msg_flags & MSG_CTRUNC) != 0;
  return std::optional<Packet>(std::move(packet));
}

pid_t PeerPid(int fd) {
  ucred credentials = {};
  socklen_t length = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return 0;
  return credentials.pid;
}

}  // namespace baton
