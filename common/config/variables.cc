// BATON_* variables that nobody reads: most often a name that was mistyped.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/config/config.h"

namespace baton {
namespace {

// What other programs of a pod read: the daemons, batonctl, engines and the project's own tools.
// The test of docs/configuration.md holds this against the daemons' tables.
constexpr auto kReadElsewhere = std::to_array<absl::string_view>({
    "ADMIN_LISTEN",
    "ADMIN_PORT_FILE",
    "ADVERTISE",
    "AGENT",
    "ALIASES",
    "ATTACH_SOCKET",
    "ATTACH_TIMEOUT",
    "ATTEMPTS",
    "BOOTSTRAP",
    "CHANGES_KEPT",
    "CHECKSUMS",
    "CLIENT_MS",
    "CONNECT_MS",
    "C_LIBRARY",
    "CUDA_BLOCKS",
    "DATA_HOST",
    "DISK_CACHE",
    "DRAIN_MS",
    "EARLY_PREFILL",
    "ENGINE",
    "ENGINE_CACHE",
    "ENGINE_SILENCE_S",
    "FLAGFILE",
    "HEARTBEAT_MS",
    "HELD_OFFERS",
    "HELD_OFFER_BYTES",
    "HERE",
    "LABELS",
    "LAUNCH_ID",
    "LEASE_MS",
    "LISTEN",
    "LOG_FORMAT",
    "MAX_ANSWER_BYTES",
    "MAX_BINDINGS",
    "MAX_MESSAGE_BYTES",
    "MAX_RANKS",
    "MAX_REQUESTS",
    "MAX_REQUEST_BYTES",
    "MAX_SERVERS",
    "MAX_SPEC_BYTES",
    "MAX_WAITING_LOOKUPS",
    "MAX_WATCHERS",
    "MAX_WATCH_QUEUE_BYTES",
    "MODEL",
    "OUTPUT",
    "PEERS",
    "PEER_TIMEOUT",
    "POLICY",
    "PORT_FILE",
    "PROBE_LISTEN",
    "PROBE_PORT_FILE",
    "PROGRAMS",
    "RANKS_MAX",
    "ROLE",
    "ROOT",
    "ROUTER",
    "ROUTER_PYTHON",
    "SERVER",
    "SERVICE_SOCKET",
    "SETTLE",
    "SHM_FOLDER",
    "SILENCE_MS",
    "SOCKET_MODE",
    "SPIN_US",
    "TIMEOUT_MS",
    "TRANSPORT",
    "VERBS_DEVICES",
    "VERBS_GID_INDEX",
    "VERBS_NEAR",
    "VERBS_RAILS",
    "VERBS_WINDOWS",
    "WAIT_MS",
    "WORKERS",
});

// Kubernetes says of a Service named baton-x where it is: BATON_X_SERVICE_HOST, BATON_X_PORT_...
bool IsServiceLink(absl::string_view name) {
  if (absl::StrContains(name, "_SERVICE_HOST") || absl::StrContains(name, "_SERVICE_PORT")) {
    return true;
  }
  const size_t port = name.rfind("_PORT");
  if (port == absl::string_view::npos) return absl::StrContains(name, "_TCP_");
  const absl::string_view rest = name.substr(port + 5);
  return rest.empty() || (rest.size() > 1 && rest[0] == '_' && absl::ascii_isdigit(rest[1])) ||
         absl::StrContains(rest, "_TCP");
}

// Letters to change, add or take away; one that is the beginning of the other is one step away.
size_t Distance(absl::string_view a, absl::string_view b) {
  if (absl::StartsWith(a, b) || absl::StartsWith(b, a)) return a == b ? 0 : 1;
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> ConfigTable::UnknownVariables(const char* const* environment) const {
  std::vector<std::string> warnings;
  for (; *environment != nullptr; ++environment) {
    absl::string_view name = *environment;
    name = name.substr(0, name.find('='));
    if (!absl::ConsumePrefix(&name, "BATON_") || IsServiceLink(name)) continue;
    if (std::find(kReadElsewhere.begin(), kReadElsewhere.end(), name) != kReadElsewhere.end()) {
      continue;
    }
    std::string nearest;
    size_t least = SIZE_MAX;
    for (const Row& row : rows_) {
      const std::string own = absl::AsciiStrToUpper(row.name);
      const size_t distance = Distance(name, own);
      if (distance < least) nearest = own;
      least = std::min(least, distance);
    }
    if (least == 0) continue;
    warnings.push_back(absl::StrCat(
        "BATON_", name, " is set, and nothing reads it",
        least <= name.size() / 2 ? absl::StrCat("; did you mean BATON_", nearest, "?") : ""));
  }
  return warnings;
}

}  // namespace baton
