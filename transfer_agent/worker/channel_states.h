// States of a channel as its source sees it. docs/states/channel.dot draws them.
#ifndef BATON_TRANSFER_AGENT_WORKER_CHANNEL_STATES_H_
#define BATON_TRANSFER_AGENT_WORKER_CHANNEL_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::worker {

enum class ChannelState : uint8_t {
  kAsked,       // ChannelOpen is on its way
  kConnecting,  // the peer accepted, the path comes up
  kUp,
  kDown,  // terminal: a later offer opens another
};

enum class ChannelEvent : uint8_t { kAccepted, kUp, kDown };

inline constexpr Transition<ChannelState, ChannelEvent> kChannelRows[] = {
    {ChannelState::kAsked, ChannelEvent::kAccepted, ChannelState::kConnecting},
    {ChannelState::kAsked, ChannelEvent::kDown, ChannelState::kDown},
    {ChannelState::kConnecting, ChannelEvent::kUp, ChannelState::kUp},
    {ChannelState::kConnecting, ChannelEvent::kDown, ChannelState::kDown},
    {ChannelState::kUp, ChannelEvent::kDown, ChannelState::kDown},
};

inline absl::string_view Name(ChannelState state) {
  switch (state) {
    case ChannelState::kAsked:
      return "asked";
    case ChannelState::kConnecting:
      return "connecting";
    case ChannelState::kUp:
      return "up";
    case ChannelState::kDown:
      return "down";
  }
  return "?";
}

inline absl::string_view Name(ChannelEvent event) {
  switch (event) {
    case ChannelEvent::kAccepted:
      return "accepted";
    case ChannelEvent::kUp:
      return "up";
    case ChannelEvent::kDown:
      return "down";
  }
  return "?";
}

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_CHANNEL_STATES_H_
