// Where the memory of an agent's ranks is, so that the nearest rails come first.
#ifndef BATON_TRANSFER_AGENT_APP_NEARNESS_H_
#define BATON_TRANSFER_AGENT_APP_NEARNESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::agent {

struct Nearness {
  // From the root of the PCI domain on; empty: not known.
  std::string pci_path;
  int numa_node = -1;
};

// What --verbs_near says: "none"; "numa:N"; the PCI address of a GPU ("0000:3b:00.0"); or "auto",
// which is the NUMA node of the processors that the agent may run on, if they are all of one.
// CONFIG names what the host does not have. `sysfs`: "/sys".
absl::StatusOr<Nearness> FindNearness(absl::string_view near, const std::string& sysfs,
                                      const std::vector<int>& cpus);
// Of this process.
std::vector<int> AllowedCpus();

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_NEARNESS_H_
