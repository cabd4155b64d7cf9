// Are the NICs near the processors that this process may run on, and near the GPUs?
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {
namespace {

constexpr absl::string_view kName = "distance";
constexpr uint32_t kCpusMax = 4096;

// "0-3,8" to {0,1,2,3,8}.
std::set<uint32_t> ParseCpus(absl::string_view text) {
  std::set<uint32_t> cpus;
  for (absl::string_view range : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, '-');
    uint32_t first = 0, last = 0;
    if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) continue;
    for (uint32_t cpu = first; cpu <= last && cpu < kCpusMax; ++cpu) cpus.insert(cpu);
  }
  return cpus;
}

std::set<uint32_t> AllowedCpus(const Host& host) {
  const std::string status = host.Read("/proc/self/status").value_or("");
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::ConsumePrefix(&line, "Cpus_allowed_list:")) return ParseCpus(line);
  }
  return {};
}

bool RunsOn(const Host& host, const std::set<uint32_t>& allowed, int node) {
  const auto list = host.Read(absl::StrCat("/sys/devices/system/node/node", node, "/cpulist"));
  if (!list.has_value() || allowed.empty()) return true;  // not known: no reason to complain
  const std::set<uint32_t> cpus = ParseCpus(*list);
  return std::any_of(cpus.begin(), cpus.end(), [&](uint32_t c) { return allowed.contains(c); });
}

// GPUs: display and 3D controllers of the PCI bus, by address and NUMA node.
std::vector<std::pair<std::string, int>> Gpus(const Host& host) {
  std::vector<std::pair<std::string, int>> gpus;
  for (const std::string& address : host.List("/sys/bus/pci/devices")) {
    const std::string folder = absl::StrCat("/sys/bus/pci/devices/", address);
    const std::string kind = host.Read(folder + "/class").value_or("");
    if (!absl::StartsWith(kind, "0x0302") && !absl::StartsWith(kind, "0x0300")) continue;
    int node = -1;
    if (!absl::SimpleAtoi(host.Read(folder + "/numa_node").value_or("-1"), &node)) node = -1;
    gpus.emplace_back(address, node);
  }
  return gpus;
}

}  // namespace

v1::CheckFinding CheckDistance(const Host& host, const Devices& devices) {
  const std::set<uint32_t> allowed = AllowedCpus(host);
  std::vector<std::string> texts, far;
  std::set<int> nodes;
  for (const transport::verbs::ChosenRail& rail : devices.rails->rails) {
    const int node = rail.port.numa_node;
    texts.push_back(absl::StrCat(rail.port.device, " on node ", node));
    if (node < 0) continue;
    nodes.insert(node);
    if (!RunsOn(host, allowed, node)) far.push_back(texts.back());
  }
  if (!far.empty()) {
    return Warn(kName,
                absl::StrCat(absl::StrJoin(far, ", "),
                             ": this process may run on none of its "
                             "processors"),
                "pin the pod to the NIC's NUMA node (topology manager, single-numa-node)");
  }
  for (const auto& [address, node] : Gpus(host)) {
    if (node < 0 || nodes.empty() || nodes.contains(node)) continue;
    return Warn(
        kName,
        absl::StrCat("GPU ", address, " is on node ", node, ", and ", absl::StrJoin(texts, ", ")),
        "use a NIC of the GPU's node as well (--verbs_devices, --verbs_rails)");
  }
  return Ok(kName, absl::StrJoin(texts, ", "));
}

}  // namespace baton::checks
