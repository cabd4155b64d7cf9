// What a wr_id says: whose work request it was. A completion in error carries nothing else that
// can be relied on. Places are used again, so each carries a generation.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_WORK_ID_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_WORK_ID_H_

#include <cstdint>

namespace baton::transport::verbs {

enum class WorkKind : uint8_t { kSend = 1, kReceive = 2 };

struct WorkId {
  WorkKind kind = WorkKind::kSend;
  uint16_t generation = 0;  // 12 bits
  uint16_t place = 0;       // of the link
  uint32_t sequence = 0;    // of the send, low bits

  constexpr bool operator==(const WorkId&) const = default;
};

inline constexpr uint16_t kWorkGenerationMask = 0xfff;

constexpr uint64_t Pack(WorkId id) {
  return (static_cast<uint64_t>(id.kind) << 60) |
         (uint64_t{static_cast<uint16_t>(id.generation & kWorkGenerationMask)} << 48) |
         (uint64_t{id.place} << 32) | id.sequence;
}

constexpr WorkId UnpackWorkId(uint64_t word) {
  return {.kind = static_cast<WorkKind>(word >> 60),
          .generation = static_cast<uint16_t>((word >> 48) & kWorkGenerationMask),
          .place = static_cast<uint16_t>(word >> 32),
          .sequence = static_cast<uint32_t>(word)};
}

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_WORK_ID_H_
