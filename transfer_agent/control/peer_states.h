// States of a link to one peer. Drawn in docs/states/control_peer.dot.
#ifndef BATON_TRANSFER_AGENT_CONTROL_PEER_STATES_H_
#define BATON_TRANSFER_AGENT_CONTROL_PEER_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::control {

enum class PeerState : uint8_t {
  kJoining,   // not both streams have been up yet: no event has named the peer
  kUp,        // both streams are up
  kImpaired,  // was up; a stream is being reconnected, frames wait
  kDown,      // over, for ever
};

enum class PeerEvent : uint8_t {
  kComplete,  // the second stream is up
  kCut,       // a stream broke
  kEnd,       // silence, another epoch, a protocol error, or it was asked for
};

inline constexpr Transition<PeerState, PeerEvent> kPeerRows[] = {
    {PeerState::kJoining, PeerEvent::kComplete, PeerState::kUp},
    {PeerState::kJoining, PeerEvent::kCut, PeerState::kJoining},
    {PeerState::kJoining, PeerEvent::kEnd, PeerState::kDown},
    {PeerState::kUp, PeerEvent::kCut, PeerState::kImpaired},
    {PeerState::kUp, PeerEvent::kEnd, PeerState::kDown},
    {PeerState::kImpaired, PeerEvent::kComplete, PeerState::kUp},
    {PeerState::kImpaired, PeerEvent::kCut, PeerState::kImpaired},
    {PeerState::kImpaired, PeerEvent::kEnd, PeerState::kDown},
};

constexpr absl::string_view Name(PeerState state) {
  switch (state) {
    case PeerState::kJoining:
      return "joining";
    case PeerState::kUp:
      return "up";
    case PeerState::kImpaired:
      return "impaired";
    case PeerState::kDown:
      return "down";
  }
  return "?";
}

constexpr absl::string_view Name(PeerEvent event) {
  switch (event) {
    case PeerEvent::kComplete:
      return "complete";
    case PeerEvent::kCut:
      return "cut";
    case PeerEvent::kEnd:
      return "end";
  }
  return "?";
}

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_PEER_STATES_H_
