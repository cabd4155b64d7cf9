// One channel of the verbs transport: its queue pairs and what they are for.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/channel_states.h"
#include "transfer_agent/transport/verbs/channel_windows.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/source_datapath.h"

namespace baton::transport::verbs {

struct Channel {
  Channel(ChannelId channel, PeerId of, ChannelState initial)
      : id(channel), peer(of), machine("verbs_channel", kChannelRows, initial) {}

  bool up() const { return machine.state() == ChannelState::kUp; }
  bool leaving() const { return machine.state() == ChannelState::kLeaving; }
  bool drained() const {
    for (const auto& qp : queue_pairs) {
      if (!qp->sends().idle()) return false;
    }
    return source == nullptr || source->idle();
  }
  bool Uses(const Rail& rail) const {
    return std::any_of(queue_pairs.begin(), queue_pairs.end(),
                       [&rail](const auto& qp) { return &qp->rail() == &rail; });
  }
  // What it writes to that memory of its peer by. Null: it has no keys to it.
  const RemoteMemory* KeysTo(const RemoteMemory& memory) const {
    if (memory.windows() == 0) return &memory;
    const auto found = keys.find(memory.windows());
    return found == keys.end() ? nullptr : &found->second;
  }

  const ChannelId id;
  const PeerId peer;
  ChannelMachine machine;
  uint64_t nonce = 0;
  std::vector<std::unique_ptr<QueuePair>> queue_pairs;
  std::unique_ptr<SourceDatapath> source;  // null: the receiving end
  // Target: null without memory windows.
  std::unique_ptr<ChannelWindows> windows;
  // Source: the peer's memories that are written to by keys of this channel, by what it calls them.
  std::map<uint64_t, RemoteMemory> keys;
  // Source: the peer has a memory by now to which this channel has no keys.
  bool superseded = false;
  uint32_t heard = 0;  // queue pairs over which the other end spoke
  // Work may be posted: something was submitted, acknowledged or credited since the last try.
  bool runnable = false;
  // When it was last used, by the worker's count of uses.
  uint64_t used = 0;
  bool said_goodbye = false;
  // Of a channel that is not up, or is leaving. Set by the first look at the clock.
  std::optional<TimePoint> deadline;
  // Something came back from the peer since then.
  std::optional<TimePoint> quiet_since;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_CHANNEL_H_
