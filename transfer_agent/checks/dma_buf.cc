// Can the devices register GPU memory that an engine hands over?
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckDmaBuf(Host& host, const Devices& devices) {
  constexpr absl::string_view kName = "dma-buf";
  std::set<std::string> can;
  for (const transport::verbs::ChosenRail& rail : devices.rails->rails) {
    if (absl::Status status = host.TryDmaBuf(rail.port.device); !status.ok()) {
      return Warn(kName, absl::StrCat("GPU pools cannot be registered: ", status.message()),
                  "host pools work; for GPU pools use Linux 5.12 or newer and a driver with "
                  "dma-buf (mlx5)");
    }
    can.insert(rail.port.device);
  }
  return Ok(kName, absl::StrCat(absl::StrJoin(can, ", "), " can register dma-bufs"));
}

}  // namespace baton::checks
