// Which address of which port is used, and why the others are not.
#include <string>

#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckGids(const Settings& settings, const Devices& devices) {
  constexpr absl::string_view kName = "gid choice";
  if (!devices.rails.ok()) {
    return AmissForVerbs(settings, kName, devices.rails.status().message(),
                         "give the interface an address in this network namespace, or choose with "
                         "--verbs_devices and --verbs_gid_index");
  }
  v1::CheckFinding finding = Ok(kName, devices.rails->Summary());
  for (const std::string& candidate : devices.rails->candidates) finding.add_details(candidate);
  return finding;
}

}  // namespace baton::checks
