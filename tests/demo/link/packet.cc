#include "tests/demo/link/packet.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::demo {

absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakePacketPair(
    std::chrono::milliseconds send_timeout) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return SystemError("socketpair", errno);
  }
  std::pair<UniqueFd, UniqueFd> pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  timeval timeout{send_timeout.count() / 1000, send_timeout.count() % 1000 * 1000};
  for (int end : ends) {
    if (setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0) {
      return SystemError("SO_SNDTIMEO", errno);
    }
  }
  return pair;
}

absl::Status SendPacket(int fd, const google::protobuf::MessageLite& message) {
  std::string bytes = message.SerializeAsString();
  if (bytes.size() > kPacketMax) {
    return Error(Reason::kTooLarge, absl::StrCat("a packet of ", bytes.size(), " bytes"));
  }
  while (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return Error(Reason::kDeadline, "the other end does not read");
    return SystemError("send", errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<Received> ReceivePacket(int fd, bool wait, google::protobuf::MessageLite* message) {
  std::string bytes(kPacketMax, '\0');
  ssize_t size;
  do {
    size = recv(fd, bytes.data(), bytes.size(), MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return Received::kNothing;
  if (size == 0 || (size < 0 && errno == ECONNRESET)) return Received::kClosed;
  if (size < 0) return SystemError("recv", errno);
  if (size > static_cast<ssize_t>(bytes.size()) || !message->ParseFromArray(bytes.data(), size)) {
    return Error(Reason::kBadMessage, "a packet that does not parse");
  }
  return Received::kMessage;
}

}  // namespace baton::demo
