// How much memory this process may still pin for a NIC.
#ifndef BATON_TRANSFER_AGENT_ATTACH_MEMLOCK_H_
#define BATON_TRANSFER_AGENT_ATTACH_MEMLOCK_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace baton::attach {

// Unset: without a limit (RLIMIT_MEMLOCK is infinite, or the process has CAP_IPC_LOCK).
std::optional<uint64_t> PinnableBytes(uint64_t pinned_already);

// Whether the effective capabilities in the text of /proc/self/status hold CAP_IPC_LOCK.
bool HasIpcLock(absl::string_view proc_status);

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_MEMLOCK_H_
