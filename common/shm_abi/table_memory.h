// Where things are in the memory of a completion table, and writing a new one.
#ifndef BATON_COMMON_SHM_ABI_TABLE_MEMORY_H_
#define BATON_COMMON_SHM_ABI_TABLE_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "common/shm_abi/table.h"

namespace baton::shm_abi {

// Slots begin on a cache-line pair of their own.
inline constexpr size_t kTableSlotsOffset = 256;
static_assert(sizeof(TableHeader) <= kTableSlotsOffset);

constexpr uint64_t TableBytes(uint32_t slots) {
  return kTableSlotsOffset + uint64_t{slots} * sizeof(TableSlot);
}

// `memory` has TableBytes(slots), zeroed.
void InitTable(std::byte* memory, uint64_t epoch, uint32_t slots);

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

// A failure's cause into a slot (before its word is stored), and out of it. A text that is too long
// is cut between characters.
void StoreCause(const absl::Status& cause, TableSlot* slot);
absl::Status LoadCause(const TableSlot& slot);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_TABLE_MEMORY_H_
