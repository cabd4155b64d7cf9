// May the agent pin as much memory as the pools have? The NIC needs them pinned.
#include "transfer_agent/attach/memlock.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {
namespace {

constexpr absl::string_view kName = "memlock";
// No pool worth having is smaller.
constexpr uint64_t kLeast = 64 << 20;

bool NoNewPrivileges(absl::string_view proc_status) {
  for (absl::string_view line : absl::StrSplit(proc_status, '\n')) {
    if (absl::ConsumePrefix(&line, "NoNewPrivs:")) return absl::StripAsciiWhitespace(line) == "1";
  }
  return false;
}

std::string Cure(const Limits& limits, absl::string_view proc_status) {
  constexpr absl::string_view kNode = "set LimitMEMLOCK=infinity for the node's container runtime";
  if (limits.uid == 0)
    return absl::StrCat("add the capability IPC_LOCK to the container, or ", kNode);
  // For another user a capability of the container counts for nothing by itself.
  if (NoNewPrivileges(proc_status)) {
    return absl::StrCat(
        "allowPrivilegeEscalation: false makes file capabilities count for "
        "nothing: leave it out, run as uid 0 with IPC_LOCK alone, or ",
        kNode);
  }
  return absl::StrCat(
      "a user other than 0 needs the program's file capability too (setcap "
      "cap_ipc_lock+ep, and IPC_LOCK in the container); or ",
      kNode);
}

}  // namespace

v1::CheckFinding CheckMemlock(const Settings& settings, const Host& host, const Devices& devices) {
  const Limits limits = host.limits();
  if (!limits.memlock_bytes.has_value()) return Ok(kName, "RLIMIT_MEMLOCK is unlimited");
  const std::string status = host.Read("/proc/self/status").value_or("");
  if (attach::HasIpcLock(status)) {
    return Ok(kName, "CAP_IPC_LOCK is effective: RLIMIT_MEMLOCK does not count");
  }
  const uint64_t mib = *limits.memlock_bytes >> 20;
  const std::string who = absl::StrCat("RLIMIT_MEMLOCK is ", mib, " MiB for uid ", limits.uid,
                                       ", without CAP_IPC_LOCK");
  if (!devices.rails.ok() && !WantsVerbs(settings)) {
    return Ok(kName, absl::StrCat(who, "; only verbs pins memory, and it is not used here"));
  }
  if (*limits.memlock_bytes < kLeast) {
    return Fail(kName, absl::StrCat(who, ": no pool can be registered with a NIC"),
                Cure(limits, status));
  }
  return Warn(kName, absl::StrCat(who, ": larger pools are refused at attach"),
              Cure(limits, status));
}

}  // namespace baton::checks
