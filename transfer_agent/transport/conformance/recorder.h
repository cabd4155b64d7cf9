// Records events and holds the transport to its word: nothing fires outside Poll, a segment is done
// exactly once, a channel goes down at most once, a window is fenced exactly once.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_RECORDER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_RECORDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

class Recorder final : public Events {
 public:
  using PartKey = std::tuple<PeerId, OfferId, uint32_t>;
  using WindowKey = std::pair<PeerId, OfferId>;

  void OnChannelUp(ChannelId channel) override;
  void OnChannelDown(ChannelId channel, const absl::Status& cause) override;
  void OnSegmentDone(uint64_t cookie, const absl::Status& status) override;
  void OnPart(ChannelId channel, PeerId peer, OfferId offer, uint32_t part,
              uint64_t bytes) override;
  void OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause) override;
  void OnFenced(PeerId peer, OfferId offer) override;
  void OnChannelRetired(ChannelId channel) override { retired.insert(channel); }

  // As if the clock were `ahead` of what it is.
  bool Poll(Transport* transport, Duration ahead = Duration::zero());

  bool is_up(ChannelId channel) const { return up.contains(channel); }
  bool is_down(ChannelId channel) const { return down.contains(channel); }

  std::set<ChannelId> up;
  std::map<ChannelId, absl::Status> down;
  std::map<uint64_t, absl::Status> done;
  std::vector<uint64_t> done_order;
  std::map<PartKey, uint64_t> parts;  // bytes
  std::vector<PartKey> part_order;
  std::map<WindowKey, absl::Status> broken;
  std::set<WindowKey> fenced;
  std::set<ChannelId> retired;
  // Called by OnPart, inside Poll.
  std::function<void(PeerId, OfferId)> on_part;

 private:
  bool polling_ = false;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_RECORDER_H_
