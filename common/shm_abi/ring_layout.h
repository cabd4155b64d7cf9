// The ring: how an engine's calls reach its agent. One producer (the engine), one consumer (the
// agent's worker), one memfd that the agent creates and seals.
//
//   [RingHeader, 4096 bytes][data: a power of two of bytes]
//   entry: [EntryHeader][body][padding to 32]
//
// Positions grow for ever; position mod data_bytes is the place. An entry never straddles the end
// of the data: a wrap entry fills what is left there. The engine writes bodies and `tail`, the
// agent writes `head`; both may be rewritten by a hostile or broken engine at any time, so the
// consumer keeps its own head, copies an entry out once, and believes only what it has checked in
// the copy.
#ifndef BATON_COMMON_SHM_ABI_RING_LAYOUT_H_
#define BATON_COMMON_SHM_ABI_RING_LAYOUT_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace baton::shm_abi {

static_assert(std::endian::native == std::endian::little, "ring and table are little endian");
static_assert(std::atomic<uint64_t>::is_always_lock_free);

inline constexpr uint64_t kRingMagic = 0x31474e524e4f5442;  // "BTONRNG1"
inline constexpr uint32_t kRingBytesMin = 16 << 10;
inline constexpr uint32_t kRingBytesMax = 64 << 20;
inline constexpr uint32_t kSlotsMax = 65536;
inline constexpr size_t kRingDataOffset = 4096;
inline constexpr uint32_t kEntryAlign = 32;

struct RingHeader {
  uint64_t magic = kRingMagic;
  uint64_t epoch = 0;
  uint32_t data_bytes = 0;
  alignas(64) std::atomic<uint64_t> tail{0};  // end of what the engine has published
  alignas(64) std::atomic<uint64_t> head{0};  // end of what the agent has copied out
};
static_assert(sizeof(RingHeader) <= kRingDataOffset);

// Numbers are part of the ABI.
enum class EntryKind : uint32_t {
  kOpenSend = 1,
  kOpenReceive = 2,
  kSend = 3,
  kAbort = 4,
  kClose = 5,
  kWatchPeer = 6,
  kForgetPeer = 7,
  kProvide = 8,
  kWrap = 0xffff,
};

struct EntryHeader {
  uint32_t body_bytes = 0;
  EntryKind kind = EntryKind::kWrap;
  uint64_t sequence = 0;  // 1, 2, 3, …; wrap entries count too
  uint64_t check = 0;     // EntryCheck of the three fields above and the body
};
static_assert(sizeof(EntryHeader) == 24);

constexpr bool RingBytesValid(uint64_t bytes) {
  return bytes >= kRingBytesMin && bytes <= kRingBytesMax && std::has_single_bit(bytes);
}
// Whole entries, header and padding included, are at most a quarter of the ring: three more always
// fit behind one that is being read.
constexpr uint32_t EntryBytesMax(uint32_t data_bytes) { return data_bytes / 4; }
constexpr uint64_t EntryBytes(uint64_t body_bytes) {
  return (sizeof(EntryHeader) + body_bytes + kEntryAlign - 1) & ~uint64_t{kEntryAlign - 1};
}

// Finds entries that were torn, overwritten or written by a broken producer. It is no signature: a
// hostile engine can compute it. `seed` is the ring's epoch.
uint64_t EntryCheck(uint64_t seed, const EntryHeader& header, const std::byte* body);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_RING_LAYOUT_H_
