#include "common/self_dial.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace baton {
namespace {

constexpr TimePoint kNothingWaits = TimePoint::max() - SelfDial::kDeafAfter;

uint16_t PortOf(const sockaddr_storage& address) {
  return address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                       : reinterpret_cast<const sockaddr_in&>(address).sin_port;
}

}  // namespace

SelfDial::SelfDial(int listener) : to_bytes_(sizeof(to_)) {
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&to_), &to_bytes_) != 0) to_bytes_ = 0;
  auto& v4 = reinterpret_cast<sockaddr_in&>(to_);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(to_);
  if (to_.ss_family == AF_INET && v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  if (to_.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr)) {
    // It listens on both families, and a host may have no IPv6 on its loopback.
    in6_addr mapped = {};
    mapped.s6_addr[10] = mapped.s6_addr[11] = 0xff;
    const uint32_t loopback = htonl(INADDR_LOOPBACK);
    std::memcpy(&mapped.s6_addr[12], &loopback, sizeof(loopback));
    v6.sin6_addr = mapped;
  }
}

void SelfDial::Turn(TimePoint now) {
  if (fd_) Hear(now);
  if (!fd_ && next_ <= now && to_bytes_ != 0) Dial(now);
}

void SelfDial::Hear(TimePoint now) {
  char first;
  const ssize_t n = recv(fd_.get(), &first, sizeof(first), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINTR)) {
    // Still on its way; once it is long overdue the next one may fare better.
    if (!deaf(now)) return;
  } else if (n >= 0 || errno == ECONNRESET) {
    silent_since_ = kNothingWaits;
  }
  fd_.Reset();
  port_ = 0;
}

void SelfDial::Dial(TimePoint now) {
  next_ = now + kPeriod;
  fd_ = UniqueFd(socket(to_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Short of descriptors: nothing is known.
  if (!fd_) return;
  const int off = 0;
  if (to_.ss_family == AF_INET6)
    setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  const int failed = connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to_), to_bytes_);
  const bool waits = failed == 0 || errno == EINPROGRESS;
  // Refused: nobody listens. What else fails is this dial's own trouble.
  if (waits || errno == ECONNREFUSED) silent_since_ = std::min(silent_since_, now);
  if (!waits) return fd_.Reset();
  sockaddr_storage self = {};
  socklen_t bytes = sizeof(self);
  getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&self), &bytes);
  port_ = PortOf(self);
}

bool SelfDial::IsOurs(const sockaddr_storage& from) const {
  return port_ != 0 && (from.ss_family == AF_INET || from.ss_family == AF_INET6) &&
         PortOf(from) == port_;
}

}  // namespace baton
