// A transport over simulated connections. What a source hands over is under way for a while, lands
// when the target's worker polls, and may be cut, delayed or left behind by a dead process.
//
//   kCopied: the bytes travel (tcp). The source's pages are free once they are handed over.
//   kLent: the target copies from the source's pool when the word of it arrives (shm). The source's
//   pages are free once the target has said so.
#ifndef BATON_TESTS_SIMULATION_SIM_TRANSPORT_H_
#define BATON_TESTS_SIMULATION_SIM_TRANSPORT_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/network.h"
#include "tests/simulation/pool.h"
#include "transfer_agent/transport/transport.h"

namespace baton::sim {

using transport::ChannelId;
using transport::MemoryId;
using transport::OfferId;
using transport::PeerId;

enum class PathKind : uint8_t { kCopied, kLent };

class SimTransport final : public transport::Transport {
 public:
  // `address` is where its data connections come in; `wake` asks the worker to poll.
  SimTransport(Network* network, ProcessPtr process, std::string address, PathKind kind,
               std::function<void()> wake);

  // The pool of the next ExportMemory: a simulated region has no mapping of its own.
  void NextExport(std::shared_ptr<Pool> pool) { next_export_ = std::move(pool); }

  const transport::Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<transport::ExportedMemory> ExportMemory(
      absl::Span<const transport::LocalRegion> regions) override;
  void ForgetMemory(MemoryId memory) override;
  absl::StatusOr<transport::RemoteMemoryId> ImportMemory(PeerId peer,
                                                         absl::string_view key) override;
  absl::StatusOr<transport::OpenedChannel> Open(PeerId peer) override;
  absl::StatusOr<transport::OpenedChannel> Accept(PeerId peer, absl::string_view data) override;
  absl::Status Complete(ChannelId channel, absl::string_view data) override;
  void Close(ChannelId channel) override;
  void ForgetPeer(PeerId peer) override;
  absl::Status OpenWindow(transport::Window window) override;
  void Fence(PeerId peer, OfferId offer) override;
  transport::Submitted Submit(ChannelId channel, transport::Segment segment) override;
  void Cancel(ChannelId channel, OfferId offer) override;
  bool Poll(TimePoint now, transport::Events* events) override;
  int wait_fd() const override { return -1; }
  bool PrepareToSleep() override { return true; }
  transport::Counters counters() const override { return counters_; }

  size_t windows() const { return windows_.size(); }
  size_t memories() const { return memories_.size(); }
  size_t segments() const;

 private:
  struct Message;
  struct Flight {
    transport::Segment segment;
    std::shared_ptr<Message> message;
    bool done = false;  // reported; what comes back for it changes nothing
  };
  struct Channel {
    PeerId peer;
    bool source = false;
    bool up = false;
    WirePtr wire;
    int end = 0;
    std::deque<transport::Segment> queue;
    std::deque<Flight> flights;
  };
  struct OpenedWindow {
    transport::Window window;
    Holder holder = 0;
    bool broken = false;
    ChannelId channel;  // that its part comes over
    uint64_t bytes = 0;
  };
  struct Arrived {
    ChannelId channel;
    PeerId peer;
    std::shared_ptr<const Message> message;
  };
  using WindowKey = std::pair<PeerId, OfferId>;
  using Event = std::function<void(transport::Events*)>;

  void OnAccepted(const WirePtr& wire);
  // The channel that the connection is; none: it was refused.
  ChannelId OnGreeting(const WirePtr& wire, const Message& greeting);
  void OnMessage(ChannelId channel, const Payload& payload);
  void OnWireClosed(ChannelId channel, const absl::Status& why);
  void EndSegments(Channel* channel, const absl::Status& why);
  void SegmentDone(uint64_t cookie, const absl::Status& status);
  bool PumpSource(ChannelId id, Channel* channel);
  std::shared_ptr<Message> MakeMessage(const transport::Segment& segment);
  static void ReadRuns(const Message& message, std::vector<std::byte>* bytes);
  void Land(const Arrived& arrived);
  absl::Status LandIn(OpenedWindow* window, ChannelId id, const Message& message);
  void Break(const WindowKey& key, OpenedWindow* window, const absl::Status& why);
  void Raise(Event event);

  Network* const network_;
  const ProcessPtr process_;
  const std::string address_;
  const PathKind kind_;
  const std::function<void()> wake_;
  transport::Capabilities capabilities_;
  transport::Counters counters_;
  std::shared_ptr<Pool> next_export_;
  uint32_t last_memory_ = 0;
  uint64_t last_channel_ = 0;
  std::map<MemoryId, std::shared_ptr<Pool>> memories_;
  std::map<ChannelId, Channel> channels_;
  std::map<WindowKey, OpenedWindow> windows_;
  std::deque<Arrived> arrived_;
  std::deque<Event> events_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_SIM_TRANSPORT_H_
