#include "transfer_agent/control/listen_address.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

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

}  // namespace baton::control
