// Where things are in the memory of a completion table, and writing a new one.
#ifndef BATON_COMMON_SHM_ABI_TABLE_MEMORY_H_
#define BATON_COMMON_SHM_ABI_TABLE_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "common/shm_abi/peer_row.h"
#include "common/shm_abi/table.h"

namespace baton::shm_abi {

// Slots begin on a cache-line pair of their own.
inline constexpr size_t kTableSlotsOffset = 256;
static_assert(sizeof(TableHeader) <= kTableSlotsOffset);

// Behind the slots.
constexpr uint64_t PeersOffset(uint32_t slots) {
  return kTableSlotsOffset + uint64_t{slots} * sizeof(TableSlot);
}
constexpr uint64_t TableBytes(uint32_t slots, uint32_t peers) {
  return PeersOffset(slots) + uint64_t{peers} * sizeof(PeerRow);
}

// `memory` has TableBytes(slots, peers), zeroed.
void InitTable(std::byte* memory, uint64_t epoch, uint32_t slots, uint32_t peers);

inline TableHeader* HeaderOf(std::byte* memory) { return reinterpret_cast<TableHeader*>(memory); }
inline const TableHeader* HeaderOf(const std::byte* memory) {
  return reinterpret_cast<const TableHeader*>(memory);
}
inline TableSlot* SlotsOf(std::byte* memory) {
  return reinterpret_cast<TableSlot*>(memory + kTableSlotsOffset);
}
inline const TableSlot* SlotsOf(const std::byte* memory) {
  return reinterpret_cast<const TableSlot*>(memory + kTableSlotsOffset);
}
inline PeerRow* PeersOf(std::byte* memory, uint32_t slots) {
  return reinterpret_cast<PeerRow*>(memory + PeersOffset(slots));
}
inline const PeerRow* PeersOf(const std::byte* memory, uint32_t slots) {
  return reinterpret_cast<const PeerRow*>(memory + PeersOffset(slots));
}

// A failure's cause into a slot (before its word is stored), and out of it. A text that is too long
// is cut between characters.
void StoreCause(const absl::Status& cause, TableSlot* slot);
absl::Status LoadCause(const TableSlot& slot);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_TABLE_MEMORY_H_
