#include "transfer_agent/control/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/unique_fd.h"

namespace baton::control {

HostPort SplitHostPort(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return {};
  absl::string_view host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {std::string(host), std::string(address.substr(colon + 1))};
}

absl::StatusOr<std::string> AdvertisedAddress(absl::string_view wanted, absl::string_view bound) {
  if (!wanted.empty()) {
    const HostPort said = SplitHostPort(wanted);
    if (said.port != "0") return std::string(wanted);
    return absl::StrCat(wanted.substr(0, wanted.size() - 1), SplitHostPort(bound).port);
  }
  const std::string host = SplitHostPort(bound).host;
  if (host == "0.0.0.0" || host == "::") {
    return Error(Reason::kConfig, absl::StrCat("--listen=", bound,
                                               " is no address that other agents can dial: give "
                                               "one with --advertise"));
  }
  return std::string(bound);
}

absl::Status ExplainListenFailure(const std::string& address) {
  const std::string what = absl::StrCat("cannot listen on --listen=", address);
  const HostPort parts = SplitHostPort(address);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &list);
  if (failed != 0) {
    return Error(Reason::kConfig, absl::StrCat(what, ": ", gai_strerror(failed)));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  UniqueFd fd(socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int reuse = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  if (bind(fd.get(), list->ai_addr, list->ai_addrlen) != 0 || listen(fd.get(), 1) != 0) {
    return Error(Reason::kConfig, absl::StrCat(what, ": ", strerror(errno)));
  }
  return Error(Reason::kSystem, absl::StrCat(what, ": gRPC refuses the address"));
}

}  // namespace baton::control
