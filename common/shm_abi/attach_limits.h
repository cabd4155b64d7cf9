// What engine and agent agree on before they share memory. Both sides check them.
#ifndef BATON_COMMON_SHM_ABI_ATTACH_LIMITS_H_
#define BATON_COMMON_SHM_ABI_ATTACH_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace baton::shm_abi {

inline constexpr uint32_t kAttachProtocolMajor = 2;
// A packet must fit the default socket buffer of 208 KiB. A rank of 94 layers with four tensors
// each takes about 20 KiB.
inline constexpr size_t kAttachPacketMax = 160 << 10;
inline constexpr size_t kRegionsPerPacketMax = 64;
inline constexpr uint32_t kRegionsMax = 4096;
// Ring memfd, table memfd, doorbell eventfd, the agent's pidfd, in this order.
inline constexpr size_t kReplyFds = 4;

inline constexpr size_t kNameMax = 255;  // server, launch id, model, region names, labels
inline constexpr size_t kLabelsMax = 64;
inline constexpr size_t kAliasesMax = 16;
inline constexpr uint32_t kPeersMax = 1024;  // peer servers that a rank looks at

// The worker's heartbeat in the table grows at least this often…
inline constexpr uint32_t kHeartbeatMs = 100;
// …and an engine takes the agent for lost after this long without.
inline constexpr uint32_t kStallMs = 2000;

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_ATTACH_LIMITS_H_
