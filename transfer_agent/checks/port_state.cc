// Is a port of the devices up, and how fast is its link?
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {
namespace {

constexpr absl::string_view kName = "ports";
constexpr double kSlowGbit = 10;

std::string Attribute(const Host& host, const transport::verbs::PortListing& port,
                      absl::string_view name) {
  return host
      .Read(absl::StrCat("/sys/class/infiniband/", port.device, "/ports/", port.port, "/", name))
      .value_or("?");
}

// "100 Gb/sec (4X EDR)" to 100; 0 when it is not known.
double Gbit(const std::string& rate) {
  const std::vector<std::string> words = absl::StrSplit(rate, ' ');
  double gbit = 0;
  return absl::SimpleAtod(words.front(), &gbit) ? gbit : 0;
}

}  // namespace

v1::CheckFinding CheckPorts(const Settings& settings, const Host& host, const Devices& devices) {
  std::vector<std::string> up, down;
  double slowest = 0, fastest = 0;
  for (const transport::verbs::PortListing& port : devices.ports) {
    const std::string name = absl::StrCat(port.device, "/", port.port);
    if (!port.error.empty()) {
      down.push_back(absl::StrCat(name, " ", port.error));
    } else if (!port.active) {
      down.push_back(absl::StrCat(name, " is ", Attribute(host, port, "state"), ", link ",
                                  Attribute(host, port, "phys_state")));
    } else {
      const std::string rate = Attribute(host, port, "rate");
      const double gbit = Gbit(rate);
      slowest = up.empty() ? gbit : std::min(slowest, gbit);
      fastest = std::max(fastest, gbit);
      up.push_back(absl::StrCat(name, " ", rate));
    }
  }
  const std::string all = absl::StrJoin(up, ", ");
  if (up.empty()) {
    return AmissForVerbs(settings, kName,
                         absl::StrCat("no port is up: ", absl::StrJoin(down, "; ")),
                         "look at cable, switch and `ip link`; InfiniBand needs a subnet manager");
  }
  if (!down.empty()) {
    return Warn(kName, absl::StrCat(all, "; but ", absl::StrJoin(down, "; ")),
                "bring the port up, or name those to use with --verbs_devices");
  }
  if (fastest > 0 && slowest < kSlowGbit) {
    return Warn(kName, absl::StrCat("slow: ", all),
                "look at cable and port settings: a link may have fallen back to a lower rate");
  }
  if (slowest != fastest) {
    return Warn(kName, absl::StrCat("of different rates: ", all),
                "pages are spread evenly: name the fast ones with --verbs_devices");
  }
  return Ok(kName, all);
}

}  // namespace baton::checks
