// Are the devices that the kernel knows in this container too?
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {
namespace {

constexpr absl::string_view kName = "device nodes";

}  // namespace

v1::CheckFinding CheckDeviceNodes(const Settings& settings, const Host& host) {
  std::vector<std::string> known;
  for (const std::string& name : host.List("/sys/class/infiniband_verbs")) {
    if (absl::StartsWith(name, "uverbs")) known.push_back(name);
  }
  if (known.empty()) {
    if (!WantsVerbs(settings)) {
      return Ok(kName, "the kernel has no RDMA device: pages go by tcp and shm");
    }
    return Fail(kName, "--transport=verbs, and the kernel has no RDMA device",
                "load the NIC's driver (lsmod | grep _ib), or use --transport=auto");
  }
  std::vector<std::string> absent, closed;
  for (const std::string& name : known) {
    const std::string node = absl::StrCat("/dev/infiniband/", name);
    if (host.MayUse(node)) continue;
    const std::vector<std::string> nodes = host.List("/dev/infiniband");
    const bool there = std::find(nodes.begin(), nodes.end(), name) != nodes.end();
    (there ? closed : absent).push_back(node);
  }
  if (!absent.empty()) {
    return AmissForVerbs(settings, kName,
                         absl::StrCat(absl::StrJoin(absent, ", "), " is not in this container"),
                         "ask for the device in the pod (rdma/... resource), or mount "
                         "/dev/infiniband");
  }
  if (!closed.empty()) {
    return AmissForVerbs(settings, kName,
                         absl::StrCat(absl::StrJoin(closed, ", "), " may not be read and written"),
                         "give the agent's user or group access (crw-rw-rw- is usual), or allow "
                         "the device in its cgroup");
  }
  return Ok(kName, absl::StrCat(absl::StrJoin(known, ", "), " may be used"));
}

}  // namespace baton::checks
