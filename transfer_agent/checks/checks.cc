#include "transfer_agent/checks/checks.h"

#include <future>
#include <optional>
#include <utility>

#include "common/clock.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {
namespace {

v1::CheckFinding Make(absl::string_view check, v1::CheckVerdict verdict, absl::string_view cause,
                      absl::string_view cure) {
  v1::CheckFinding finding;
  finding.set_check(std::string(check));
  finding.set_verdict(verdict);
  finding.set_cause(std::string(cause));
  finding.set_cure(std::string(cure));
  return finding;
}

Answer Ask(const ListServers& list_servers) {
  const TimePoint begin = Monotonic::now();
  const uint64_t began_ms = UnixMillis();
  Answer answer{list_servers(), {}, 0};
  answer.took = std::chrono::duration_cast<std::chrono::microseconds>(Monotonic::now() - begin);
  answer.unix_ms = began_ms + answer.took.count() / 2000;
  return answer;
}

}  // namespace

v1::CheckFinding Ok(absl::string_view check, absl::string_view cause) {
  return Make(check, v1::CHECK_VERDICT_OK, cause, "");
}
v1::CheckFinding Warn(absl::string_view check, absl::string_view cause, absl::string_view cure) {
  return Make(check, v1::CHECK_VERDICT_WARN, cause, cure);
}
v1::CheckFinding Fail(absl::string_view check, absl::string_view cause, absl::string_view cure) {
  return Make(check, v1::CHECK_VERDICT_FAIL, cause, cure);
}

bool WantsVerbs(const Settings& settings) { return settings.transport == "verbs"; }

v1::CheckFinding AmissForVerbs(const Settings& settings, absl::string_view check,
                               absl::string_view cause, absl::string_view cure) {
  return WantsVerbs(settings) ? Fail(check, cause, cure) : Warn(check, cause, cure);
}

Findings CheckHost(const Settings& settings, Host& host) {
  Devices devices;
  // Who moves pages by tcp or shm alone opens no device, and hears of none.
  const bool rdma = settings.transport == "auto" || WantsVerbs(settings);
  if (rdma) devices.ports = host.Ports();
  devices.rails = transport::verbs::SelectRails(devices.ports, settings.wishes);
  Findings findings;
  if (rdma) {
    findings.push_back(CheckDeviceNodes(settings, host));
    if (!devices.ports.empty()) {
      findings.push_back(CheckPorts(settings, host, devices));
      findings.push_back(CheckGids(settings, devices));
    }
    if (devices.rails.ok()) {
      findings.push_back(CheckMtu(host, devices));
      findings.push_back(CheckDmaBuf(host, devices));
      findings.push_back(CheckDistance(host, devices));
    }
  }
  if (settings.transport == "auto" || settings.transport == "cuda") {
    if (auto gpus = CheckGpus(settings, host); gpus.has_value()) {
      findings.push_back(*std::move(gpus));
    }
  }
  findings.push_back(CheckMemlock(settings, host, devices));
  findings.push_back(CheckOpenFiles(host));
  findings.push_back(CheckMemfd(host));
  findings.push_back(CheckDevShm(host));
  findings.push_back(CheckSockets(settings, host));
  return findings;
}

Findings CheckNetwork(const Settings& settings, Host& host, const ListServers& list_servers) {
  // Beside each other: each may take its whole time.
  auto names = std::async(std::launch::async, [&] { return CheckNames(settings, host); });
  const Answer answer = Ask(list_servers);
  Findings findings;
  findings.push_back(CheckBootstrap(settings, answer));
  if (answer.servers.ok()) {
    findings.push_back(CheckClock(answer));
    findings.push_back(CheckPeers(settings, answer, host));
  }
  findings.insert(findings.begin(), names.get());
  return findings;
}

}  // namespace baton::checks
