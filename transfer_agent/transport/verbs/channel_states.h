// The life of a verbs channel, as a table. docs/states/verbs_channel.dot has it drawn.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_STATES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::transport::verbs {

enum class ChannelState : uint8_t {
  kOffered,   // source: waits for the peer's answer
  kExpected,  // the queue pairs work, the other end has said nothing over them yet
  kUp,
  kLeaving,  // closed here: what is posted drains, then the peer is told
};

enum class ChannelEvent : uint8_t {
  kAnswered,  // the answer came, the source's queue pairs work
  kAwaited,   // the same, and the target says over them when its memory windows are bound
  kHeard,     // the other end spoke on every queue pair
  kLeave,
};

inline absl::string_view Name(ChannelState state) {
  constexpr absl::string_view kNames[] = {"offered", "expected", "up", "leaving"};
  return kNames[static_cast<size_t>(state)];
}

inline absl::string_view Name(ChannelEvent event) {
  constexpr absl::string_view kNames[] = {"answered", "awaited", "heard", "leave"};
  return kNames[static_cast<size_t>(event)];
}

// A channel may end in any state: its queue pairs are reset then, and it is forgotten.
inline constexpr Transition<ChannelState, ChannelEvent> kChannelRows[] = {
    {ChannelState::kOffered, ChannelEvent::kAnswered, ChannelState::kUp},
    {ChannelState::kOffered, ChannelEvent::kAwaited, ChannelState::kExpected},
    {ChannelState::kExpected, ChannelEvent::kHeard, ChannelState::kUp},
    {ChannelState::kUp, ChannelEvent::kLeave, ChannelState::kLeaving},
};

using ChannelMachine = StateMachine<ChannelState, ChannelEvent>;

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_STATES_H_
