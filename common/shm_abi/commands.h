// What an engine asks of its agent through the ring, decoded and checked for form. (Whether the
// numbers make sense for the rank's pools and rooms is the agent's business.)
#ifndef BATON_COMMON_SHM_ABI_COMMANDS_H_
#define BATON_COMMON_SHM_ABI_COMMANDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.h"

namespace baton::shm_abi {

// A slot of the completion table, for one use of it. Drawn by the engine's client.
struct SlotRef {
  uint32_t slot = 0;
  uint32_t generation = 0;

  constexpr auto operator<=>(const SlotRef&) const = default;
};

inline constexpr uint32_t kPageGroupsMax = 16;
inline constexpr uint32_t kStateRowsMax = 64;
inline constexpr uint32_t kPagesMax = 1 << 20;  // over all groups of one command

struct OpenSend {
  SlotRef slot;
  RoomKey room;
  std::optional<uint64_t> total_tokens = 0;  // unset: the end of the last chunk
  uint32_t time_left_ms = 0;
};

struct OpenReceive {
  SlotRef slot;
  RoomKey room;
  std::string prefill_server;
  // Unset: the agent asks the bootstrap service which dp rank has the room.
  std::optional<uint32_t> prefill_dp;
  uint8_t tp_holder = 1;  // planner::HolderPolicy
  uint8_t cp_holder = 1;
  uint64_t total_tokens = 0;
  uint64_t prefix_tokens = 0;
  uint32_t time_left_ms = 0;
  std::vector<std::vector<int32_t>> pages;  // one list for each page group
  std::vector<uint32_t> state_rows;
  uint32_t aux_row = 0;
  // Tokens, pages and rows come with Provide.
  bool announced = false;
};

// Of an announced room.
struct Provide {
  SlotRef slot;
  uint64_t total_tokens = 0;
  uint64_t prefix_tokens = 0;
  std::vector<std::vector<int32_t>> pages;  // one list for each page group
  std::vector<uint32_t> state_rows;
  uint32_t aux_row = 0;
};

struct Send {
  SlotRef slot;
  uint64_t token_begin = 0;
  uint64_t token_end = 0;
  uint32_t layer_begin = 0;
  uint32_t layer_end = UINT32_MAX;
  bool last = false;
  std::vector<std::vector<int32_t>> pages;
  std::vector<uint32_t> state_rows;  // with `last`
  uint32_t aux_row = 0;
  uint16_t page_groups = 0xffff;  // bit g: the chunk has page group g
};

struct Abort {
  SlotRef slot;
  std::string why;
};

// The engine has seen the end of the room and gives the slot back.
struct Close {
  SlotRef slot;
};

// A row of peers, for one use of it. Drawn by the engine's client.
struct PeerRef {
  uint32_t peer = 0;
  uint32_t generation = 0;

  constexpr auto operator<=>(const PeerRef&) const = default;
};

// Asks whether a server is there and fits; the answer stands in the row until ForgetPeer.
struct WatchPeer {
  PeerRef peer;
  std::string server;  // name or alias
};

struct ForgetPeer {
  PeerRef peer;
};

using Command =
    std::variant<OpenSend, OpenReceive, Send, Abort, Close, WatchPeer, ForgetPeer, Provide>;

// Of a command about a room; of others slot 0 of generation 0.
inline SlotRef SlotOf(const Command& command) {
  return std::visit(
      [](const auto& c) {
        if constexpr (requires { c.slot; }) {
          return c.slot;
        } else {
          return SlotRef();
        }
      },
      command);
}

}  // namespace baton::shm_abi

#endif  // BATON_COMMON_SHM_ABI_COMMANDS_H_
