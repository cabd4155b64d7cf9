// The life of a fence that the source has not answered yet, as a table.
// docs/states/verbs_fence.dot has it drawn.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FENCE_STATES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FENCE_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::transport::verbs {

enum class FenceState : uint8_t {
  kAsked,      // the source is to say that nothing of the offer is under way any more
  kRevoking,   // it did not in time: the keys of its channels are being made invalid
  kResetting,  // its channels are taken down
  kOwed,       // fenced without the source's word, which has to come before it gets a channel
  kOver,       // fenced
};

enum class FenceEvent : uint8_t {
  kAnswered,  // the source's word came
  kLate,      // the time for it is over, or the peer is gone
  kRevoked,   // no key is valid, or the time for that is over too
  kReset,     // no queue pair of the peer is left that the device could write through
  kGone,      // the peer is gone: it will not answer
};

inline absl::string_view Name(FenceState state) {
  constexpr absl::string_view kNames[] = {"asked", "revoking", "resetting", "owed", "over"};
  return kNames[static_cast<size_t>(state)];
}

inline absl::string_view Name(FenceEvent event) {
  constexpr absl::string_view kNames[] = {"answered", "late", "revoked", "reset", "gone"};
  return kNames[static_cast<size_t>(event)];
}

// The source's word ends a fence in any state: what it promises needs no device to hold.
inline constexpr Transition<FenceState, FenceEvent> kFenceRows[] = {
    {FenceState::kAsked, FenceEvent::kAnswered, FenceState::kOver},
    {FenceState::kAsked, FenceEvent::kLate, FenceState::kRevoking},
    {FenceState::kRevoking, FenceEvent::kAnswered, FenceState::kOver},
    {FenceState::kRevoking, FenceEvent::kRevoked, FenceState::kResetting},
    {FenceState::kResetting, FenceEvent::kAnswered, FenceState::kOver},
    {FenceState::kResetting, FenceEvent::kReset, FenceState::kOwed},
    {FenceState::kOwed, FenceEvent::kAnswered, FenceState::kOver},
    {FenceState::kOwed, FenceEvent::kGone, FenceState::kOver},
};

using FenceMachine = StateMachine<FenceState, FenceEvent>;

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FENCE_STATES_H_
