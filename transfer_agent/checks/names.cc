// Do the names that are configured resolve, and soon?
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "transfer_agent/checks/each_check.h"
#include "transfer_agent/checks/network.h"

namespace baton::checks {

v1::CheckFinding CheckNames(const Settings& settings, Host& host) {
  constexpr absl::string_view kName = "names";
  constexpr auto kLimit = std::chrono::milliseconds(1000);
  constexpr auto kSlow = std::chrono::milliseconds(200);
  constexpr absl::string_view kCure =
      "check the name and the pod's dnsPolicy (getent hosts NAME); in the same namespace the "
      "service's short name does";
  std::set<std::string> names = {SplitHostPort(settings.bootstrap).first};
  if (!settings.advertise.empty()) names.insert(SplitHostPort(settings.advertise).first);
  const TimePoint begin = Monotonic::now();
  for (const std::string& name : names) {
    // All of them together have that limit.
    const auto left = MillisLeft(begin + kLimit, Monotonic::now(), kLimit.count());
    if (absl::Status status = host.Resolve(name, std::chrono::milliseconds(left)); !status.ok()) {
      return Fail(kName, status.message(), kCure);
    }
  }
  const Duration took = Monotonic::now() - begin;
  const std::string all = absl::StrJoin(names, ", ");
  if (took > kSlow) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    return Warn(kName, absl::StrCat(all, " took ", ms, " ms to resolve"),
                "end the name with a dot, or lower ndots in the pod's dnsConfig");
  }
  return Ok(kName, absl::StrCat(all, names.size() == 1 ? " resolves" : " resolve"));
}

}  // namespace baton::checks
