// Is anything wrong with this machine, for what the agent is asked to do? The agent runs the checks
// of the host at its start and logs what is not well; `batonctl doctor` runs them at any time, and
// those of the network too. One check, one file; each gives one line of cause and one of cure.
//
// A finding is a fail when something that was asked for cannot work, a warning when it works, but
// slower or with less than it could: without RDMA `--transport=auto` is well, `--transport=verbs`
// is not.
#ifndef BATON_TRANSFER_AGENT_CHECKS_CHECKS_H_
#define BATON_TRANSFER_AGENT_CHECKS_CHECKS_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "baton/v1/registry.pb.h"
#include "transfer_agent/checks/host.h"
#include "transfer_agent/transport/verbs/options.h"

namespace baton::checks {

// What the agent is asked to do.
struct Settings {
  std::string transport = "auto";
  transport::verbs::Wishes wishes;
  std::string attach_socket;
  std::string service_socket;
  std::string bootstrap;
  // host:port that peers dial; empty: not known here.
  std::string advertise;
};

// Where the bootstrap service is asked for its list.
using ListServers = std::function<absl::StatusOr<v1::ListServersResponse>()>;

using Findings = std::vector<v1::CheckFinding>;

// Devices, limits, memory, sockets.
Findings CheckHost(const Settings& settings, Host& host);

// Names, the bootstrap service, its clock, the other agents. Bounded by about a second and a half.
Findings CheckNetwork(const Settings& settings, Host& host, const ListServers& list_servers);

}  // namespace baton::checks

#endif  // BATON_TRANSFER_AGENT_CHECKS_CHECKS_H_
