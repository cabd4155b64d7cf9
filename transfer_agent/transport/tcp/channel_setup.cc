#include "transfer_agent/transport/tcp/channel_setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/tcp/source_datapath.h"
#include "transfer_agent/transport/tcp/target_datapath.h"

namespace baton::transport::tcp {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Numeric only: a name would have to be looked up, which blocks.
absl::StatusOr<Address> ParseAddress(const std::string& host, uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(*v4);
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(*v6);
    return address;
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", host, "\" is not a numeric address"));
}

absl::Status SetInt(int fd, int level, int option, int value, absl::string_view name) {
  if (setsockopt(fd, level, option, &value, sizeof(value)) == 0) return absl::OkStatus();
  return SystemError(absl::StrCat("setsockopt ", name), errno);
}

// No delay: the end of a part must not wait for more. Keep-alive finds the dead host of a peer that
// only sends; the user timeout that of one that only receives, or receives no more.
absl::Status SetOptions(int fd, Duration peer_timeout) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(peer_timeout).count();
  const int seconds = static_cast<int>(std::max<int64_t>(1, ms / 4000));
  absl::Status status = SetInt(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  status.Update(SetInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"));
  status.Update(SetInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds, "TCP_KEEPIDLE"));
  status.Update(SetInt(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds, "TCP_KEEPINTVL"));
  status.Update(SetInt(fd, IPPROTO_TCP, TCP_KEEPCNT, 3, "TCP_KEEPCNT"));
  status.Update(
      SetInt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(ms), "TCP_USER_TIMEOUT"));
  return status;
}

absl::StatusOr<uint16_t> PortOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return SystemError("getsockname", errno);
  }
  if (storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
  }
  return ntohs(reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
}

absl::Status CannotBind(const std::string& host, absl::string_view why) {
  return Error(Reason::kConfig, absl::StrCat("tcp: cannot listen on ", host, ": ", why));
}

}  // namespace

const Capabilities& TcpPath::capabilities() const {
  static constexpr Capabilities kCapabilities{
      .name = "tcp", .local_fence = true, .gpu_memory = false, .checksums = true};
  return kCapabilities;
}

absl::StatusOr<UniqueFd> TcpPath::Listen() {
  absl::StatusOr<Address> address = ParseAddress(options_.bind_host, 0);
  if (!address.ok()) return CannotBind(options_.bind_host, address.status().message());
  UniqueFd fd(socket(address->get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return CannotBind(options_.bind_host, strerror(errno));
  if (bind(fd.get(), address->get(), address->size) != 0 || listen(fd.get(), 256) != 0) {
    return CannotBind(options_.bind_host, strerror(errno));
  }
  absl::StatusOr<uint16_t> port = PortOf(fd.get());
  if (!port.ok()) return port.status();
  port_ = *port;
  return fd;
}

absl::Status TcpPath::Adopt(int fd) { return SetOptions(fd, options_.peer_timeout); }

void TcpPath::FillOpen(v1::StreamOpen*) const {}

absl::Status TcpPath::CheckOpen(const v1::StreamOpen&) const { return absl::OkStatus(); }

void TcpPath::FillAccept(v1::StreamAccept* accept) const {
  accept->set_host(options_.advertised_host.empty() ? options_.bind_host
                                                    : options_.advertised_host);
  accept->set_port(port_);
}

absl::StatusOr<UniqueFd> TcpPath::Connect(const v1::StreamAccept& accept) {
  if (accept.port() == 0 || accept.port() > UINT16_MAX) {
    return Error(Reason::kBadMessage, absl::StrCat("channel accept: port ", accept.port()));
  }
  absl::StatusOr<Address> address = ParseAddress(accept.host(), accept.port());
  if (!address.ok()) {
    return Error(Reason::kBadMessage, absl::StrCat("channel accept: ", address.status().message()));
  }
  UniqueFd fd(socket(address->get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SystemError("socket", errno);
  absl::Status set = SetOptions(fd.get(), options_.peer_timeout);
  if (!set.ok()) return set;
  if (connect(fd.get(), address->get(), address->size) != 0 && errno != EINPROGRESS) {
    return Error(Reason::kTransport, absl::StrCat("connect to ", accept.host(), ":", accept.port(),
                                                  ": ", strerror(errno)));
  }
  return fd;
}

absl::Status TcpPath::CheckMemory(absl::Span<const LocalRegion>) const { return absl::OkStatus(); }

std::unique_ptr<SourceLink> TcpPath::NewSource(const LinkContext& context) {
  return std::make_unique<SourceDatapath>(context);
}

std::unique_ptr<TargetLink> TcpPath::NewTarget(const LinkContext& context) {
  return std::make_unique<TargetDatapath>(context);
}

}  // namespace baton::transport::tcp
