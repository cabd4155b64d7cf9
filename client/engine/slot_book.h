// What a client knows of its slots beyond the completion table: which handle each belongs to, and
// the end of rooms whose agent or table is gone.
//
// Load is lock-free and may run beside everything else. All other calls are serialised by the
// owner.
#ifndef BATON_CLIENT_ENGINE_SLOT_BOOK_H_
#define BATON_CLIENT_ENGINE_SLOT_BOOK_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "common/shm_abi/commands.h"

namespace baton {

// How a room ended for this client, where the table no longer says so.
enum class Ending : uint8_t { kNone = 0, kDone = 1, kFailed = 2, kLost = 3 };

struct LocalWord {
  uint32_t generation = 0;
  bool open = false;
  bool released = false;
  Ending ending = Ending::kNone;

  static LocalWord Unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), (word & 1) != 0, (word & 2) != 0,
            static_cast<Ending>((word >> 2) & 3)};
  }
  uint64_t Pack() const {
    return (uint64_t{generation} << 32) | (open ? 1 : 0) | (released ? 2 : 0) |
           (static_cast<uint64_t>(ending) << 2);
  }
};

// Beside the word; read under the owner's lock, except for the two atomics.
struct SlotRecord {
  std::atomic<uint64_t> word{0};
  std::atomic<uint64_t> prefix_tokens{0};
  std::atomic<uint64_t> bytes{0};
  uint64_t attachment = 0;  // the number of the attachment that the room was opened on
  bool abort_asked = false;
  absl::Status cause;  // with an ending of kFailed or kLost
};

class SlotBook {
 public:
  explicit SlotBook(uint32_t slots);

  uint32_t slots() const { return static_cast<uint32_t>(records_.size()); }
  LocalWord Load(uint32_t slot) const {
    return LocalWord::Unpack(records_[slot].word.load(std::memory_order_acquire));
  }
  // Whether the handle names an open room.
  bool IsOpen(shm_abi::SlotRef ref) const {
    if (ref.slot >= slots()) return false;
    LocalWord word = Load(ref.slot);
    return word.open && word.generation == ref.generation;
  }

  SlotRecord& record(uint32_t slot) { return records_[slot]; }
  const SlotRecord& record(uint32_t slot) const { return records_[slot]; }
  void Store(uint32_t slot, LocalWord word) {
    records_[slot].word.store(word.Pack(), std::memory_order_release);
  }

  // A free slot, opened with a generation that it never had before; nullopt when all are taken.
  std::optional<shm_abi::SlotRef> Take(uint64_t attachment);
  // The handle is invalid from now on; the slot is not taken again before Free.
  void Close(uint32_t slot);
  void Free(uint32_t slot) { free_.push_back(slot); }

 private:
  std::vector<SlotRecord> records_;
  std::vector<uint32_t> free_;  // the last one is taken first: its lines are warm
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_SLOT_BOOK_H_
