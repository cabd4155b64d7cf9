// The completion table: one cache-line pair for each open room of a rank, written by the agent
// alone, read by the engine with plain loads. The agent creates it and seals it; the engine maps it
// read-only.
//
// The state of a room is one 64-bit word {generation, flags, state}, stored with release after
// every other field of the slot, so that an engine that acquires the word sees fields that belong
// to it.
#ifndef BATON_COMMON_SHM_ABI_TABLE_H_
#define BATON_COMMON_SHM_ABI_TABLE_H_

#include <atomic>
#include <cstdint>

namespace baton::shm_abi {

// As the engine sees it. Source and target read alike:
//   kOpen     the agent has the room
//   kOffered  source: prefix_tokens is known, Send may begin; target: all offers are out
//   kDone     source: every target has everything, pages are free; target: LANDED
//   kFailed   terminal with a cause; pages are free only once `released`
enum class RoomState : uint8_t { kFree = 0, kOpen = 1, kOffered = 2, kDone = 3, kFailed = 4 };

struct RoomWord {
  uint32_t generation = 0;
  RoomState state = RoomState::kFree;
  bool released = false;  // no write of the room can land, no page of it is read
  bool source_complete =
      false;  // announced rooms: the sources have everything; source_tokens is set

  static RoomWord Unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32), static_cast<RoomState>(word & 0xff),
            (word & 0x100) != 0, (word & 0x200) != 0};
  }
  uint64_t Pack() const {
    return (uint64_t{generation} << 32) | (released ? 0x100 : 0) | (source_complete ? 0x200 : 0) |
           static_cast<uint8_t>(state);
  }
};

inline constexpr uint32_t kCauseTextMax = 168;

struct alignas(64) TableSlot {
  std::atomic<uint64_t> word{0};
  std::atomic<uint64_t> prefix_tokens{0};
  std::atomic<uint64_t> bytes{0};          // moved by this rank for the room
  std::atomic<uint64_t> source_tokens{0};  // of an announced room whose sources have everything
  // Cause of kFailed: valid while `word` still has the generation that was read before and after.
  std::atomic<uint32_t> reason{0};  // baton::Reason
  uint32_t rank_known = 0;
  uint32_t rank_dp = 0, rank_pp = 0, rank_cp = 0, rank_tp = 0;
  char text[kCauseTextMax] = {};  // "server\0message\0", truncated
};
static_assert(sizeof(TableSlot) == 256);

inline constexpr uint64_t kTableMagic = 0x324241544e4f5442;  // "BTNOTAB2"

struct alignas(64) TableHeader {
  uint64_t magic = kTableMagic;
  uint32_t slots = 0;
  uint32_t slot_bytes = sizeof(TableSlot);
  uint64_t epoch = 0;
  // Grows while the agent's worker runs; every <= 100 ms.
  std::atomic<uint64_t> heartbeat{0};
  // 1: the worker sleeps; write the doorbell after publishing to the ring.
  std::atomic<uint32_t> asleep{0};
  uint32_t peers = 0;  // rows of peer_row.h behind the slots
};

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_TABLE_H_
