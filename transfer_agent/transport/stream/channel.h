// One channel of a stream transport: its state, its socket and its link.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_CHANNEL_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_CHANNEL_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/channel_states.h"
#include "transfer_agent/transport/stream/frame.h"
#include "transfer_agent/transport/stream/path.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct Channel {
  Channel(ChannelId channel, PeerId of, ChannelState initial)
      : id(channel), peer(of), machine("stream_channel", kChannelRows, initial) {}

  bool up() const { return machine.state() == ChannelState::kUp; }

  const ChannelId id;
  const PeerId peer;
  ChannelMachine machine;
  UniqueFd fd;
  // One of the two; a target's from when the source is on the line: who only asks for a channel
  // costs little.
  std::unique_ptr<SourceLink> source;
  std::unique_ptr<TargetLink> target;
  bool accepted = false;   // a source asked for it
  bool checksums = false;  // of a target
  // Set by the first Poll that sees the channel; a channel that is not up then is given up.
  std::optional<TimePoint> deadline;
  Edges edges;
  bool runnable = false;
  Token token{};
  FrameBuffer greeting{};
  size_t greeting_filled = 0;
};

// Source: goes on with the handshake. True: the channel has just come up. An error ends it.
absl::StatusOr<bool> AdvanceHandshake(Channel* channel);

// Target: answers a connection that showed the token.
absl::Status Welcome(int fd);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_CHANNEL_H_
