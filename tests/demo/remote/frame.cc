#include "tests/demo/remote/frame.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"
#include "tests/demo/runner/pause.h"

namespace baton::demo {
namespace {

constexpr size_t kHead = 5;
constexpr std::chrono::seconds kPatience{20};

absl::Status Lost(absl::string_view call, int error) {
  if (error == EAGAIN) return Error(Reason::kDeadline, absl::StrCat(call, ": no progress"));
  return Error(Reason::kPeerLost, absl::StrCat(call, ": ", strerror(error)));
}

absl::Status ReceiveAll(int fd, char* to, size_t size) {
  while (size > 0) {
    ssize_t got = recv(fd, to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Lost("recv", errno);
    if (got == 0) return Error(Reason::kPeerLost, "the other end has closed");
    to += got;
    size -= got;
  }
  return absl::OkStatus();
}

absl::StatusOr<sockaddr_in> Resolve(const std::string& address) {
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      port > 65535) {
    return Error(Reason::kConfig, absl::StrCat("\"", address, "\" is not host:port"));
  }
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(address.substr(0, colon).c_str(), nullptr, &hints, &found);
  if (failed != 0) {
    return Error(Reason::kPeerLost, absl::StrCat(address, ": ", gai_strerror(failed)));
  }
  memcpy(&parsed, found->ai_addr, sizeof(parsed));
  freeaddrinfo(found);
  parsed.sin_port = htons(static_cast<uint16_t>(port));
  return parsed;
}

}  // namespace

absl::Status SendFrame(int fd, FrameKind kind, absl::string_view bytes) {
  std::string whole(kHead, '\0');
  const uint32_t size = htonl(static_cast<uint32_t>(bytes.size()));
  whole[0] = static_cast<char>(kind);
  memcpy(&whole[1], &size, sizeof(size));
  whole.append(bytes.data(), bytes.size());
  for (size_t done = 0; done < whole.size();) {
    ssize_t sent = send(fd, whole.data() + done, whole.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Lost("send", errno);
    done += sent;
  }
  return absl::OkStatus();
}

absl::StatusOr<Frame> ReceiveFrame(int fd) {
  char head[kHead];
  absl::Status status = ReceiveAll(fd, head, sizeof(head));
  if (!status.ok()) return status;
  uint32_t size;
  memcpy(&size, head + 1, sizeof(size));
  size = ntohl(size);
  if (size > kFrameMax || strchr("RQPOX", head[0]) == nullptr || head[0] == '\0') {
    return Error(Reason::kBadMessage, "no frame");
  }
  Frame frame{static_cast<FrameKind>(head[0]), std::string(size, '\0')};
  status = ReceiveAll(fd, frame.bytes.data(), size);
  if (!status.ok()) return status;
  return frame;
}

std::string JoinWords(const std::vector<std::string>& words) {
  std::string bytes;
  for (const std::string& word : words) absl::StrAppend(&bytes, word, absl::string_view("\0", 1));
  return bytes;
}

std::vector<std::string> SplitWords(absl::string_view bytes) {
  std::vector<std::string> words = absl::StrSplit(bytes, '\0');
  words.pop_back();  // behind the last word's end
  return words;
}

void SetTimeouts(int fd) {
  const timeval timeout{kPatience.count(), 0};
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

absl::StatusOr<UniqueFd> ListenOn(const std::string& address) {
  auto parsed = Resolve(address);
  if (!parsed.ok()) return parsed.status();
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return SystemError("socket", errno);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&*parsed), sizeof(*parsed)) != 0 ||
      listen(fd.get(), 64) != 0) {
    return SystemError(absl::StrCat("cannot listen on ", address), errno);
  }
  return fd;
}

absl::StatusOr<UniqueFd> DialHost(const std::string& address) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    // A name may be unknown until who has it is ready.
    auto parsed = Resolve(address);
    if (!parsed.ok() && ReasonOf(parsed.status()) == Reason::kConfig) return parsed.status();
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return SystemError("socket", errno);
    SetTimeouts(fd.get());
    if (parsed.ok() &&
        connect(fd.get(), reinterpret_cast<sockaddr*>(&*parsed), sizeof(*parsed)) == 0) {
      return fd;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      if (!parsed.ok()) return parsed.status();
      return Error(Reason::kPeerLost, absl::StrCat("nobody listens on ", address));
    }
    Pause(std::chrono::milliseconds(50));
  }
}

absl::StatusOr<std::string> AddressOf(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  char host[INET_ADDRSTRLEN];
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      inet_ntop(AF_INET, &address.sin_addr, host, sizeof(host)) == nullptr) {
    return SystemError("getsockname", errno);
  }
  return absl::StrCat(host, ":", ntohs(address.sin_port));
}

}  // namespace baton::demo
