// States of a room on the prefill side. docs/states/source_room.dot draws them.
#ifndef BATON_TRANSFER_AGENT_ROOM_SOURCE_STATES_H_
#define BATON_TRANSFER_AGENT_ROOM_SOURCE_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::room {

enum class SourceState : uint8_t {
  kHeld,      // a target has offered pages, the engine has not opened the room
  kOpen,      // the engine has opened the room, nobody has offered pages
  kMatched,   // both have: chunks are moved as they come
  kSent,      // everything is posted to every target
  kDone,      // terminal: every target has everything, or there was nothing to send
  kStopping,  // failed; a page may still be read
  kFailed,    // terminal: no page is read any more
};

enum class SourceEvent : uint8_t { kOffer, kOpen, kAllSent, kAllLanded, kSpare, kFail, kStopped };

inline constexpr Transition<SourceState, SourceEvent> kSourceRows[] = {
    {SourceState::kHeld, SourceEvent::kOpen, SourceState::kMatched},
    {SourceState::kHeld, SourceEvent::kFail, SourceState::kStopping},
    {SourceState::kOpen, SourceEvent::kOffer, SourceState::kMatched},
    {SourceState::kOpen, SourceEvent::kFail, SourceState::kStopping},
    {SourceState::kMatched, SourceEvent::kSpare, SourceState::kDone},
    {SourceState::kMatched, SourceEvent::kAllSent, SourceState::kSent},
    {SourceState::kMatched, SourceEvent::kFail, SourceState::kStopping},
    {SourceState::kSent, SourceEvent::kAllLanded, SourceState::kDone},
    {SourceState::kSent, SourceEvent::kFail, SourceState::kStopping},
    {SourceState::kStopping, SourceEvent::kStopped, SourceState::kFailed},
};

inline absl::string_view Name(SourceState state) {
  switch (state) {
    case SourceState::kHeld:
      return "held";
    case SourceState::kOpen:
      return "open";
    case SourceState::kMatched:
      return "matched";
    case SourceState::kSent:
      return "sent";
    case SourceState::kDone:
      return "done";
    case SourceState::kStopping:
      return "stopping";
    case SourceState::kFailed:
      return "failed";
  }
  return "?";
}

inline absl::string_view Name(SourceEvent event) {
  switch (event) {
    case SourceEvent::kOffer:
      return "offer";
    case SourceEvent::kOpen:
      return "open";
    case SourceEvent::kAllSent:
      return "all_sent";
    case SourceEvent::kAllLanded:
      return "all_landed";
    case SourceEvent::kSpare:
      return "spare";
    case SourceEvent::kFail:
      return "fail";
    case SourceEvent::kStopped:
      return "stopped";
  }
  return "?";
}

inline bool IsTerminal(SourceState state) {
  return state == SourceState::kDone || state == SourceState::kFailed;
}

// Pages are moved, or were.
inline bool IsActive(SourceState state) {
  return state == SourceState::kMatched || state == SourceState::kSent;
}

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_SOURCE_STATES_H_
