// Where an accept loop listens, and how many it may hold.
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/accept_loop.h"
#include "common/reason.h"

namespace baton {
namespace {

constexpr size_t kConnectionsMax = 32768;

struct Parts {
  std::string host;
  std::string port;
};

Parts Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {};
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {host, address.substr(colon + 1)};
}

absl::StatusOr<UniqueFd> ListenOn(const sockaddr* at, socklen_t bytes, bool both_families) {
  UniqueFd fd(socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return SystemError("socket", errno);
  const int on = 1;
  const int off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (both_families) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  if (bind(fd.get(), at, bytes) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    return Error(Reason::kConfig, strerror(errno));
  }
  return fd;
}

}  // namespace

ConnectionLimits LimitsOfFiles() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = 1024;
  const size_t all = std::clamp<size_t>(files.rlim_cur / 2, 8, kConnectionsMax);
  return {all, all / 2};
}

ConnectionLimits RaiseFileLimit() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return LimitsOfFiles();
}

absl::Status CheckFileLimit(uint64_t least) {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= least) return absl::OkStatus();
  return Error(Reason::kConfig,
               absl::StrCat("RLIMIT_NOFILE is ", files.rlim_cur, ", and ", least,
                            " is the least to start with: raise it (ulimit -n, LimitNOFILE of the "
                            "runtime)"));
}

absl::StatusOr<UniqueFd> ListenTcp(const std::string& address) {
  const Parts parts = Split(address);
  if (parts.host == "0.0.0.0" || parts.host == "::") {
    sockaddr_in6 any = {};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_any;
    any.sin6_port = htons(static_cast<uint16_t>(strtoul(parts.port.c_str(), nullptr, 10)));
    auto both = ListenOn(reinterpret_cast<const sockaddr*>(&any), sizeof(any), true);
    // A host without IPv6 listens on what it has.
    if (both.ok() || ReasonOf(both.status()) == Reason::kConfig) return both;
  }
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  if (const int failed = getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &list);
      failed != 0) {
    return Error(Reason::kConfig, gai_strerror(failed));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  absl::StatusOr<UniqueFd> listener = Error(Reason::kConfig, "no address");
  for (const addrinfo* at = list; at != nullptr && !listener.ok(); at = at->ai_next) {
    listener = ListenOn(at->ai_addr, at->ai_addrlen, false);
  }
  return listener;
}

std::string BoundAddress(const std::string& address, int listener) {
  sockaddr_storage bound = {};
  socklen_t bytes = sizeof(bound);
  getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &bytes);
  const uint16_t port = bound.ss_family == AF_INET6
                            ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                            : reinterpret_cast<const sockaddr_in&>(bound).sin_port;
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", ntohs(port));
}

}  // namespace baton
