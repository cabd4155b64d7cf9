// Can the other agents be reached?
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckPeers(const Settings& settings, const Answer& answer, Host& host) {
  constexpr absl::string_view kName = "peers";
  constexpr auto kLimit = std::chrono::milliseconds(500);
  constexpr size_t kPeersMax = 64, kNamed = 3;
  std::set<std::string> addresses;
  for (const v1::ServerRecord& server : answer.servers->servers()) {
    for (const v1::RankRecord& rank : server.ranks()) addresses.insert(rank.agent_address());
  }
  addresses.erase(settings.advertise);
  if (addresses.empty()) return Ok(kName, "no other agent is registered");
  std::vector<std::string> tried(addresses.begin(), addresses.end());
  tried.resize(std::min(tried.size(), kPeersMax));
  const std::vector<absl::Status> statuses = host.Connect(tried, kLimit);
  std::vector<std::string> away;
  for (size_t i = 0; i < tried.size(); ++i) {
    if (statuses[i].ok()) continue;
    away.push_back(absl::StrCat(tried[i], " (", statuses[i].message(), ")"));
  }
  const std::string of = absl::StrCat(
      tried.size(),
      tried.size() < addresses.size() ? absl::StrCat(" tried of ", addresses.size()) : "");
  if (away.empty()) return Ok(kName, absl::StrCat("all agents can be reached: ", of));
  const absl::Span<const std::string> named(away.data(), std::min(away.size(), kNamed));
  return Fail(kName,
              absl::StrCat(away.size(), " of ", of, " agents cannot be reached: ",
                           absl::StrJoin(named, ", "), away.size() > kNamed ? ", ..." : ""),
              "is --advertise of that agent right (batonctl rank list), does a NetworkPolicy or "
              "firewall bar its port?");
}

}  // namespace baton::checks
