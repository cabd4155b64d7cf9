// Where an agent listens and what its peers dial.
#ifndef BATON_TRANSFER_AGENT_CONTROL_LISTEN_ADDRESS_H_
#define BATON_TRANSFER_AGENT_CONTROL_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::control {

// "host:port" or "[::1]:port", in two parts without brackets; empty parts when it is neither.
struct HostPort {
  std::string host;
  std::string port;
};
HostPort SplitHostPort(absl::string_view address);

// `wanted`, with the bound port where it says 0; the bound address where it is empty. CONFIG when
// that is one that nobody can dial (0.0.0.0).
absl::StatusOr<std::string> AdvertisedAddress(absl::string_view wanted, absl::string_view bound);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_LISTEN_ADDRESS_H_
