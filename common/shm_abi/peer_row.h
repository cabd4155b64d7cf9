// What an agent says of a peer server that its engine asked about: rows of the completion table
// behind its slots. An answer changes as servers come and go, so a row holds two copies; the agent
// writes the one that is not shown, then shows it. A reader never waits for an agent that was
// stopped while it wrote.
#ifndef BATON_COMMON_SHM_ABI_PEER_ROW_H_
#define BATON_COMMON_SHM_ABI_PEER_ROW_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/ids.h"

namespace baton::shm_abi {

enum class PeerState : uint32_t {
  kUnanswered = 0,
  kUnknown = 1,       // no server of that name or alias is registered
  kNotReady = 2,      // it is registered; the cause says what is missing
  kReady = 3,         // a room opened now would be offered at once
  kIncompatible = 4,  // rooms with it fail; the cause says of what
};

struct PeerAnswer {
  uint32_t generation = 0;  // of the question; 0: none
  PeerState state = PeerState::kUnanswered;
  bool draining = false;    // an operator takes it out of use: rooms still work
  uint32_t dp_size = 0;     // 0 while the server is not known
  Incarnation incarnation;  // as the registry has it
  std::string server;       // its name, when an alias was asked for
  absl::Status cause;       // OK when ready

  bool operator==(const PeerAnswer&) const = default;
};

inline constexpr uint32_t kPeerServerMax = 136;
inline constexpr uint32_t kPeerTextMax = 288;

// The fields of an answer in memory. Part of the ABI.
struct PeerRecord {
  uint32_t generation, state, dp_size, draining;
  uint64_t incarnation;
  uint32_t reason;  // baton::Reason
  uint32_t rank_known, rank_dp, rank_pp, rank_cp, rank_tp;
  uint32_t reserved[2];
  char server[kPeerServerMax];
  char text[kPeerTextMax];  // "server\0message\0" of the cause, truncated
};
static_assert(sizeof(PeerRecord) == 480);

struct alignas(64) PeerRow {
  static constexpr size_t kWords = sizeof(PeerRecord) / sizeof(uint64_t);

  // Counts publications; its lowest bit says which copy is shown.
  std::atomic<uint64_t> version{0};
  std::atomic<uint64_t> reserved[7] = {};
  std::array<std::atomic<uint64_t>, kWords> copies[2] = {};
};
static_assert(sizeof(PeerRow) == 1024);

// One writer.
void StorePeer(const PeerAnswer& answer, PeerRow* row);
// Any number of readers. An answer that changed under the reader's eyes several times in a row
// reads as unanswered.
PeerAnswer LoadPeer(const PeerRow& row);

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_PEER_ROW_H_
