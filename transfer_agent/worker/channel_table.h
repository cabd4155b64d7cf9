// The channels of a worker: those it opened as a source, lazily, one for each (peer, peer's worker,
// transport), and those it accepted as a target.
#ifndef BATON_TRANSFER_AGENT_WORKER_CHANNEL_TABLE_H_
#define BATON_TRANSFER_AGENT_WORKER_CHANNEL_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/control.pb.h"
#include "common/clock.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/worker/channel_states.h"

namespace baton::worker {

class Outbox;

// A channel id is unique within its transport only.
struct ChannelKey {
  transport::Transport* transport = nullptr;
  transport::ChannelId id;

  auto operator<=>(const ChannelKey&) const = default;
};

// A channel that a source opened, as the target knows it.
struct AcceptedChannel {
  transport::PeerId peer;
  uint32_t source_worker = 0;
  transport::Transport* transport = nullptr;
  uint64_t number = 0;  // the source's

  auto operator<=>(const AcceptedChannel&) const = default;
};

// Thread-compatible.
class ChannelTable {
 public:
  ChannelTable(uint32_t worker, std::vector<transport::Transport*> transports, Outbox* outbox)
      : worker_(worker), transports_(std::move(transports)), outbox_(outbox) {}

  // The channel to a worker of a peer, asked for if there is none. It may not be up yet.
  absl::StatusOr<transport::ChannelId> Get(transport::PeerId peer, uint32_t peer_worker,
                                           transport::Transport* transport, TimePoint now);
  bool IsUp(transport::Transport* transport, transport::ChannelId id) const;
  std::optional<transport::PeerId> PeerOf(transport::Transport* transport,
                                          transport::ChannelId id) const;

  // Target: a source asks. Answers it.
  void OnOpen(transport::PeerId peer, const v1::ChannelOpen& open);
  // Source: the answer. Returns the channel that is down, with the cause, if it was a refusal.
  std::optional<std::pair<ChannelKey, absl::Status>> OnAccept(transport::PeerId peer,
                                                              const v1::ChannelAccept& accept);
  // Since it was asked for; unset for a channel that this worker accepted as a target.
  std::optional<Duration> OnUp(transport::Transport* transport, transport::ChannelId id,
                               TimePoint now);
  // The channel, if it was one that this worker accepted as a target. Of one that it opened, where
  // what was under way may land still, the far end is asked to end too: IsRetiring then.
  std::optional<AcceptedChannel> OnDown(transport::Transport* transport, transport::ChannelId id);
  // Target: the source's end is down. Closes ours, if it is still there.
  std::optional<AcceptedChannel> OnLost(transport::PeerId peer, const v1::ChannelLost& lost);
  // Target: whether the source's channel `number` can still bring something.
  bool IsAccepted(transport::PeerId peer, uint32_t source_worker, transport::Transport* transport,
                  uint64_t number) const;

  // Source: the far end was asked to end and has not answered.
  bool IsRetiring(transport::Transport* transport, transport::ChannelId id) const {
    return retiring_.contains(ChannelKey{transport, id});
  }
  // Source: the far end has ended. Nullopt: nobody asked.
  std::optional<ChannelKey> OnRetired(transport::PeerId peer, const v1::ChannelRetired& retired);
  // Target: a source's end has failed.
  void OnRetire(transport::PeerId peer, const v1::ChannelRetire& retire);
  // Target: the channel has ended. Whose sources wait to hear of it.
  std::vector<AcceptedChannel> TakeWaiting(transport::Transport* transport,
                                           transport::ChannelId id);
  // The peer is gone; its channels are closed by the transport's ForgetPeer.
  void ForgetPeer(transport::PeerId peer);

  size_t size() const { return channels_.size(); }
  size_t accepted() const { return accepted_.size(); }
  // fn(transport, peer, its worker, state) for each.
  template <typename Fn>
  void ForEach(Fn&& fn) const {
    for (const auto& [key, channel] : channels_) {
      fn(*key.transport, channel.peer, channel.peer_worker, channel.machine.state());
    }
  }
  size_t CountOf(const transport::Transport* transport) const;

 private:
  struct Channel {
    transport::PeerId peer;
    uint32_t peer_worker = 0;
    StateMachine<ChannelState, ChannelEvent> machine;
    TimePoint asked;
  };
  using Route = std::tuple<transport::PeerId, uint32_t, transport::Transport*>;

  void Drop(std::map<ChannelKey, Channel>::iterator it);
  void AskToRetire(const ChannelKey& key, const Channel& channel);
  transport::Transport* FindTransport(absl::string_view name) const;

  const uint32_t worker_;
  const std::vector<transport::Transport*> transports_;
  Outbox* const outbox_;
  std::map<ChannelKey, Channel> channels_;
  std::map<Route, transport::ChannelId> routes_;
  std::map<ChannelKey, AcceptedChannel> accepted_;
  std::map<AcceptedChannel, transport::ChannelId> accepted_ids_;
  std::map<ChannelKey, transport::PeerId> retiring_;
  // Under the channel that ends; under none where it had ended already.
  std::multimap<ChannelKey, AcceptedChannel> waiting_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_CHANNEL_TABLE_H_
