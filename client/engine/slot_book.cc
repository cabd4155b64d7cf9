#include "client/engine/slot_book.h"

namespace baton {

SlotBook::SlotBook(uint32_t slots) : records_(slots) {
  free_.reserve(slots);
  for (uint32_t slot = slots; slot > 0; --slot) free_.push_back(slot - 1);
}

std::optional<shm_abi::SlotRef> SlotBook::Take(uint64_t attachment) {
  if (free_.empty()) return std::nullopt;
  uint32_t slot = free_.back();
  free_.pop_back();
  SlotRecord& record = records_[slot];
  record.prefix_tokens.store(0, std::memory_order_relaxed);
  record.bytes.store(0, std::memory_order_relaxed);
  record.attachment = attachment;
  record.abort_asked = false;
  record.cause = absl::OkStatus();
  uint32_t generation = Load(slot).generation + 1;
  if (generation == 0) generation = 1;  // 0 is what a new table says
  Store(slot, {generation, true, false, Ending::kNone});
  return shm_abi::SlotRef{slot, generation};
}

void SlotBook::Close(uint32_t slot) {
  LocalWord word = Load(slot);
  word.open = false;
  Store(slot, word);
}

}  // namespace baton
