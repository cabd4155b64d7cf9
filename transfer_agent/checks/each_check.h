// The checks one by one, in the order in which they are shown.
#ifndef BATON_TRANSFER_AGENT_CHECKS_EACH_CHECK_H_
#define BATON_TRANSFER_AGENT_CHECKS_EACH_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "transfer_agent/checks/checks.h"
#include "transfer_agent/transport/verbs/selection.h"

namespace baton::checks {

// What several checks of the devices look at, asked for once.
struct Devices {
  std::vector<transport::verbs::PortListing> ports;
  absl::StatusOr<transport::verbs::Selection> rails;
};

v1::CheckFinding Ok(absl::string_view check, absl::string_view cause);
v1::CheckFinding Warn(absl::string_view check, absl::string_view cause, absl::string_view cure);
v1::CheckFinding Fail(absl::string_view check, absl::string_view cause, absl::string_view cure);
// A fail where RDMA was asked for by name, a warning where it was left to the agent.
v1::CheckFinding AmissForVerbs(const Settings& settings, absl::string_view check,
                               absl::string_view cause, absl::string_view cure);
bool WantsVerbs(const Settings& settings);

v1::CheckFinding CheckDeviceNodes(const Settings& settings, const Host& host);
v1::CheckFinding CheckPorts(const Settings& settings, const Host& host, const Devices& devices);
v1::CheckFinding CheckGids(const Settings& settings, const Devices& devices);
v1::CheckFinding CheckMtu(const Host& host, const Devices& devices);
v1::CheckFinding CheckMemlock(const Settings& settings, const Host& host, const Devices& devices);
v1::CheckFinding CheckDmaBuf(Host& host, const Devices& devices);
// Nullopt: no GPU, and none was asked for.
std::optional<v1::CheckFinding> CheckGpus(const Settings& settings, Host& host);
v1::CheckFinding CheckDistance(const Host& host, const Devices& devices);
v1::CheckFinding CheckOpenFiles(const Host& host);
v1::CheckFinding CheckMemfd(const Host& host);
v1::CheckFinding CheckDevShm(const Host& host);
v1::CheckFinding CheckSockets(const Settings& settings, const Host& host);

v1::CheckFinding CheckNames(const Settings& settings, Host& host);
// The bootstrap service's answer, and how long it took.
struct Answer {
  absl::StatusOr<v1::ListServersResponse> servers;
  std::chrono::microseconds took{0};
  uint64_t unix_ms = 0;  // of this machine, in the middle of the call
};
v1::CheckFinding CheckBootstrap(const Settings& settings, const Answer& answer);
v1::CheckFinding CheckClock(const Answer& answer);
v1::CheckFinding CheckPeers(const Settings& settings, const Answer& answer, Host& host);

}  // namespace baton::checks

#endif  // BATON_TRANSFER_AGENT_CHECKS_EACH_CHECK_H_
