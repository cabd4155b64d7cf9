// States of a room on the decode side. docs/states/target_room.dot draws them.
#ifndef BATON_TRANSFER_AGENT_ROOM_TARGET_STATES_H_
#define BATON_TRANSFER_AGENT_ROOM_TARGET_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::room {

enum class TargetState : uint8_t {
  kLooking,  // for the dp rank, the server, its agents
  kOffered,  // every source has been offered the pages
  kLanded,   // terminal: everything is in memory
  kFencing,  // failed; a write may still land
  kFailed,   // terminal: nothing can land any more
};

enum class TargetEvent : uint8_t { kOffersOut, kAllIn, kFail, kFenced };

inline constexpr Transition<TargetState, TargetEvent> kTargetRows[] = {
    {TargetState::kLooking, TargetEvent::kOffersOut, TargetState::kOffered},
    {TargetState::kLooking, TargetEvent::kFail, TargetState::kFencing},
    {TargetState::kOffered, TargetEvent::kAllIn, TargetState::kLanded},
    {TargetState::kOffered, TargetEvent::kFail, TargetState::kFencing},
    {TargetState::kFencing, TargetEvent::kFenced, TargetState::kFailed},
};

inline absl::string_view Name(TargetState state) {
  switch (state) {
    case TargetState::kLooking:
      return "looking";
    case TargetState::kOffered:
      return "offered";
    case TargetState::kLanded:
      return "landed";
    case TargetState::kFencing:
      return "fencing";
    case TargetState::kFailed:
      return "failed";
  }
  return "?";
}

inline absl::string_view Name(TargetEvent event) {
  switch (event) {
    case TargetEvent::kOffersOut:
      return "offers_out";
    case TargetEvent::kAllIn:
      return "all_in";
    case TargetEvent::kFail:
      return "fail";
    case TargetEvent::kFenced:
      return "fenced";
  }
  return "?";
}

inline bool IsTerminal(TargetState state) {
  return state == TargetState::kLanded || state == TargetState::kFailed;
}

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_TARGET_STATES_H_
