// Can engines make the pools that they hand over, and is there room for what they share besides?
#include "absl/strings/str_cat.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {

v1::CheckFinding CheckMemfd(const Host& host) {
  constexpr absl::string_view kName = "memfd";
  if (absl::Status status = host.TryMemfd(); !status.ok()) {
    return Fail(kName, absl::StrCat("host pools cannot be made: ", status.message()),
                "allow memfd_create and sealing in the container's seccomp profile");
  }
  return Ok(kName, "sealed memfds can be made");
}

v1::CheckFinding CheckDevShm(const Host& host) {
  constexpr absl::string_view kName = "/dev/shm";
  // What Docker and Kubernetes give when nobody asks.
  constexpr uint64_t kDefault = 64 << 20;
  constexpr absl::string_view kCure =
      "mount an emptyDir of medium Memory at /dev/shm; Baton's own pools do not need it, most "
      "engines do";
  const auto bytes = host.FileSystemBytes("/dev/shm");
  if (!bytes.has_value()) return Warn(kName, "there is none", kCure);
  const std::string cause = absl::StrCat("it has ", *bytes >> 20, " MiB");
  return *bytes <= kDefault ? Warn(kName, cause, kCure) : Ok(kName, cause);
}

}  // namespace baton::checks
