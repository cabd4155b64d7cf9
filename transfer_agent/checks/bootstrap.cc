// Does the bootstrap service answer, and do the two clocks agree?
#include "absl/strings/str_cat.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckBootstrap(const Settings& settings, const Answer& answer) {
  constexpr absl::string_view kName = "bootstrap";
  if (!answer.servers.ok()) {
    return Fail(kName, answer.servers.status().message(),
                absl::StrCat("is baton-bootstrap up (batonctl health), is ", settings.bootstrap,
                             " its address, does a NetworkPolicy bar the way?"));
  }
  return Ok(kName, absl::StrCat(settings.bootstrap, " answers in ", answer.took.count(),
                                " us and knows ", answer.servers->servers_size(), " servers"));
}

v1::CheckFinding CheckClock(const Answer& answer) {
  constexpr absl::string_view kName = "clock";
  constexpr int64_t kSkewMs = 1000;
  const uint64_t theirs = answer.servers->unix_ms();
  if (theirs == 0)
    return Ok(kName, "not compared: the bootstrap service is older and does not say");
  const int64_t skew = static_cast<int64_t>(theirs) - static_cast<int64_t>(answer.unix_ms);
  const int64_t doubt = answer.took.count() / 2000 + 1;
  const std::string cause = absl::StrCat("the bootstrap service is ", skew < 0 ? "" : "+", skew,
                                         " ms from here, give or take ", doubt, " ms");
  if (skew > kSkewMs + doubt || skew < -kSkewMs - doubt) {
    return Warn(kName, cause,
                "run chrony or ntpd on the nodes; hand-offs need no common clock, but logs and "
                "room trace lie side by side by it");
  }
  return Ok(kName, cause);
}

}  // namespace baton::checks
