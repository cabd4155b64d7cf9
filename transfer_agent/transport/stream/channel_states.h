// The life of a stream channel, as a table. docs/states/stream_channel.dot has it drawn.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_CHANNEL_STATES_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_CHANNEL_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::transport {

enum class ChannelState : uint8_t {
  kOffered,     // source: waits for the peer's answer
  kConnecting,  // source: the socket is not connected yet
  kGreeting,    // source: the token is sent, the welcome is not here yet
  kExpected,    // target: waits for the connection with the token
  kUp,
};

enum class ChannelEvent : uint8_t {
  kAnswered,   // Complete brought the peer's answer
  kConnected,  // the socket is connected, the hello sent
  kWelcomed,   // the target knows the token
  kGreeted,    // a connection showed the token, the welcome is sent
};

inline absl::string_view Name(ChannelState state) {
  switch (state) {
    case ChannelState::kOffered:
      return "offered";
    case ChannelState::kConnecting:
      return "connecting";
    case ChannelState::kGreeting:
      return "greeting";
    case ChannelState::kExpected:
      return "expected";
    case ChannelState::kUp:
      return "up";
  }
  return "?";
}

inline absl::string_view Name(ChannelEvent event) {
  switch (event) {
    case ChannelEvent::kAnswered:
      return "answered";
    case ChannelEvent::kConnected:
      return "connected";
    case ChannelEvent::kWelcomed:
      return "welcomed";
    case ChannelEvent::kGreeted:
      return "greeted";
  }
  return "?";
}

// A channel may end in any state: it is forgotten then.
inline constexpr Transition<ChannelState, ChannelEvent> kChannelRows[] = {
    {ChannelState::kOffered, ChannelEvent::kAnswered, ChannelState::kConnecting},
    {ChannelState::kConnecting, ChannelEvent::kConnected, ChannelState::kGreeting},
    {ChannelState::kGreeting, ChannelEvent::kWelcomed, ChannelState::kUp},
    {ChannelState::kExpected, ChannelEvent::kGreeted, ChannelState::kUp},
};

using ChannelMachine = StateMachine<ChannelState, ChannelEvent>;

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_CHANNEL_STATES_H_
