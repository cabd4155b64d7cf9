// Exit statuses of batonctl: stable, for scripts.
#ifndef BATON_CLIENT_CTL_EXIT_CODE_H_
#define BATON_CLIENT_CTL_EXIT_CODE_H_

#include "absl/status/status.h"
#include "common/reason.h"

namespace baton::ctl {

enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,
  kExitUsage = 2,
  kExitNotFound = 3,
  kExitUnavailable = 4,  // cannot be reached, or did not answer in time: try again
};

inline ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  if (ReasonOf(status) == Reason::kConfig) return kExitUsage;
  if (absl::IsNotFound(status)) return kExitNotFound;
  const bool away = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  return away ? kExitUnavailable : kExitError;
}

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_EXIT_CODE_H_
