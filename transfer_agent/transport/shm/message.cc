#include "transfer_agent/transport/shm/message.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::shm {
namespace {

constexpr size_t kControlBytes = CMSG_SPACE(kRegionsPerMemoryMax * sizeof(int));

// Takes every descriptor, wanted or not: one that is not taken would stay open for ever.
void TakeFds(msghdr* header, std::vector<UniqueFd>* fds) {
  for (cmsghdr* c = CMSG_FIRSTHDR(header); c != nullptr; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      fds->emplace_back(fd);
    }
  }
}

}  // namespace

absl::StatusOr<Received> Receive(int fd, Message* message) {
  iovec iov{message->bytes, sizeof(message->bytes)};
  alignas(cmsghdr) char control[kControlBytes];
  msghdr header{};
  header.msg_iov = &iov;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  const ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return Received::kNothing;
    if (errno == ECONNRESET) return Error(Reason::kPeerLost, "the peer closed the connection");
    return Error(Reason::kTransport, SystemError("recvmsg", errno).message());
  }
  message->fds.clear();
  TakeFds(&header, &message->fds);
  if (n == 0) return Error(Reason::kPeerLost, "the peer closed the connection");
  if (n < static_cast<ssize_t>(kFrameBytes) || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error(Reason::kBadMessage, absl::StrCat("shm: a packet of ", n, " bytes"));
  }
  FrameBuffer buffer;
  std::memcpy(buffer.data(), message->bytes, buffer.size());
  absl::StatusOr<Frame> frame = ParseFrame(buffer);
  if (!frame.ok()) return frame.status();
  message->frame = *frame;
  message->body_bytes = n - kFrameBytes;
  return Received::kMessage;
}

absl::StatusOr<bool> Send(int fd, const Frame& frame, absl::Span<const std::byte> body,
                          absl::Span<const int> fds) {
  FrameBuffer buffer;
  EncodeFrame(frame, &buffer);
  iovec iov[2] = {{buffer.data(), buffer.size()},
                  {const_cast<std::byte*>(body.data()), body.size()}};
  alignas(cmsghdr) char control[kControlBytes];
  msghdr header{};
  header.msg_iov = iov;
  header.msg_iovlen = body.empty() ? 1 : 2;
  if (!fds.empty()) {
    std::memset(control, 0, sizeof(control));
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  }
  const ssize_t n = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n >= 0) return true;
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return false;
  if (errno == EPIPE || errno == ECONNRESET) {
    return Error(Reason::kPeerLost, "the peer closed the connection");
  }
  return Error(Reason::kTransport, SystemError("sendmsg", errno).message());
}

}  // namespace baton::transport::shm
