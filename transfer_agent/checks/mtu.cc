// Do the ports that are used carry packets of full size?
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckMtu(const Host& host, const Devices& devices) {
  constexpr absl::string_view kName = "mtu";
  constexpr uint32_t kFull = 4096;
  // Of an Ethernet frame around 4096 bytes: headers of IP, UDP and the transport.
  constexpr uint32_t kFrame = 4200;
  std::vector<std::string> texts, small;
  std::set<uint32_t> sizes;
  for (const transport::verbs::ChosenRail& rail : devices.rails->rails) {
    sizes.insert(rail.port.mtu_bytes);
    std::string text =
        absl::StrCat(rail.port.device, "/", rail.port.port, " ", rail.port.mtu_bytes, " bytes");
    if (!rail.gid.netdev.empty()) {
      const std::string frame =
          host.Read(absl::StrCat("/sys/class/net/", rail.gid.netdev, "/mtu")).value_or("?");
      absl::StrAppend(&text, " (", rail.gid.netdev, " ", frame, ")");
    }
    if (rail.port.mtu_bytes < kFull) small.push_back(text);
    texts.push_back(std::move(text));
  }
  if (sizes.size() > 1) {
    return Warn(kName, absl::StrCat("rails differ: ", absl::StrJoin(texts, ", ")),
                "give all ports one MTU; the smaller counts where two of them talk");
  }
  if (!small.empty()) {
    return Warn(kName, absl::StrCat("below ", kFull, ": ", absl::StrJoin(small, ", ")),
                absl::StrCat("raise the interface's MTU to ", kFrame,
                             " or more (9000 is usual), and the switch's"));
  }
  return Ok(kName, absl::StrJoin(texts, ", "));
}

}  // namespace baton::checks
