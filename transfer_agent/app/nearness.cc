#include "transfer_agent/app/nearness.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>

#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/reason.h"

namespace baton::agent {
namespace {

namespace fs = std::filesystem;

// -1: sysfs does not say.
int NodeOfCpu(const std::string& sysfs, int cpu) {
  std::error_code error;
  const fs::path folder = absl::StrCat(sysfs, "/devices/system/cpu/cpu", cpu);
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    absl::string_view rest = name;
    int node = 0;
    if (absl::ConsumePrefix(&rest, "node") && absl::SimpleAtoi(rest, &node)) return node;
  }
  return -1;
}

absl::StatusOr<std::string> PciPathOf(const std::string& sysfs, absl::string_view address) {
  const std::string link = absl::StrCat(sysfs, "/bus/pci/devices/", address);
  char real[PATH_MAX];
  if (absl::StrContains(address, "/") || realpath(link.c_str(), real) == nullptr) {
    return Error(Reason::kConfig,
                 absl::StrCat("--verbs_near=", address,
                              ": no such PCI device here (give auto, none, numa:N or an address "
                              "like 0000:3b:00.0, as lspci -D prints it)"));
  }
  const absl::string_view path(real);
  const size_t root = path.find("/pci");
  return std::string(root == absl::string_view::npos ? path : path.substr(root + 1));
}

}  // namespace

absl::StatusOr<Nearness> FindNearness(absl::string_view near, const std::string& sysfs,
                                      const std::vector<int>& cpus) {
  Nearness nearness;
  if (near == "none") return nearness;
  if (near.empty() || near == "auto") {
    std::set<int> nodes;
    for (int cpu : cpus) nodes.insert(NodeOfCpu(sysfs, cpu));
    if (nodes.size() == 1) nearness.numa_node = *nodes.begin();
    return nearness;
  }
  absl::string_view node = near;
  if (absl::ConsumePrefix(&node, "numa:")) {
    if (absl::SimpleAtoi(node, &nearness.numa_node) && nearness.numa_node >= 0) return nearness;
    return Error(Reason::kConfig,
                 absl::StrCat("--verbs_near=", near, ": no number of a NUMA node"));
  }
  absl::StatusOr<std::string> path = PciPathOf(sysfs, near);
  if (!path.ok()) return path.status();
  nearness.pci_path = *std::move(path);
  return nearness;
}

std::vector<int> AllowedCpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace baton::agent
