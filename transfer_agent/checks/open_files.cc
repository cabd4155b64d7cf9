// May the agent open as many descriptors as its ranks, peers and engines need?
#include "absl/strings/str_cat.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckOpenFiles(const Host& host) {
  constexpr absl::string_view kName = "open files";
  // A rank has a dozen, an agent elsewhere two streams and a connection for each pair of workers.
  constexpr uint64_t kLeast = 256, kPlenty = 4096;
  const Limits limits = host.limits();
  if (!limits.open_files.has_value()) return Ok(kName, "RLIMIT_NOFILE is unlimited");
  const std::string cause = absl::StrCat("RLIMIT_NOFILE is ", *limits.open_files);
  const std::string cure =
      absl::StrCat("raise it to ", kPlenty, " or more (ulimit -n, LimitNOFILE of the runtime)");
  if (*limits.open_files < kLeast) {
    return Fail(kName, absl::StrCat(cause, ": attaching an engine may fail"), cure);
  }
  if (*limits.open_files < kPlenty) {
    return Warn(kName, absl::StrCat(cause, ": too few for a hundred peers"), cure);
  }
  return Ok(kName, cause);
}

}  // namespace baton::checks
