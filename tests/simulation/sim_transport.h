// A transport over simulated connections. What a source hands over is under way for a while, lands
// when the target's worker polls, and may be cut, delayed or left behind by a dead process.
//
//   kCopied: the bytes travel (tcp). The source's pages are free once they are handed over.
//   kLent: the target copies from the source's pool when the word of it arrives (shm). The source's
//   pages are free once the target has said so.
//   kWritten: the source's device writes into the target's pool (verbs), also while the target's
//   agent is stopped. The source's pages are free once the target's device has acknowledged; a
//   fence needs the source's word, or ends every channel from it. A channel is a queue pair on each
//   rail; when one fails, what was under way may land until the target ends its side (Retire).
#ifndef BATON_TESTS_SIMULATION_SIM_TRANSPORT_H_
#define BATON_TESTS_SIMULATION_SIM_TRANSPORT_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/network.h"
#include "tests/simulation/pool.h"
#include "transfer_agent/transport/chunk_order.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/path_pauses.h"

namespace baton::sim {

using transport::ChannelId;
using transport::MemoryId;
using transport::OfferId;
using transport::PeerId;

enum class PathKind : uint8_t { kCopied, kLent, kWritten };

// What the paths of one history are like.
struct PathTraits {
  PathKind kind = PathKind::kCopied;
  // kWritten: of each host.
  uint32_t rails = 1;
  // Sources are asked for checksums, and now and then a byte is flipped on the way.
  bool checksums = false;
  std::function<bool()> may_flip = {};
  std::function<void(Holder)> on_flipped = {};
  // A part is in memory that did not get there over its first channel.
  std::function<void()> on_moved = {};
};

// As options.h of verbs has it: a fence waits that long for the source's word; a write that is not
// acknowledged for that long is given up; a port that is down for that long moves its channels.
inline constexpr Duration kFenceTime = kSecond;
inline constexpr Duration kRetryHorizon = 2 * kSecond;
inline constexpr Duration kPortGrace = 500 * kMilli;

class SimTransport final : public transport::Transport {
 public:
  // `address` is where its data connections come in; `wake` asks the worker to poll.
  SimTransport(Network* network, ProcessPtr process, std::string address, PathTraits traits,
               std::function<void()> wake);

  static constexpr char kDataPort[] = ":2";
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
  void Retire(ChannelId channel) override;
  bool Superseded(ChannelId channel) const override;
  void ForgetPeer(PeerId peer) override;
  absl::Status OpenWindow(transport::Window window) override;
  void Fence(PeerId peer, OfferId offer) override;
  void FenceDrained(PeerId peer, OfferId offer) override;
  transport::Submitted Submit(ChannelId channel, transport::Segment segment) override;
  void Cancel(ChannelId channel, OfferId offer) override;
  bool Poll(TimePoint now, transport::Events* events) override;
  int wait_fd() const override { return -1; }
  bool PrepareToSleep() override { return true; }
  transport::Counters counters() const override { return counters_; }

  // How long pages may be out of reach after an abort, at most.
  Duration fence_time(bool source) const {
    return kind_ != PathKind::kWritten ? Duration(0) : source ? kRetryHorizon : kFenceTime;
  }
  size_t windows() const { return windows_.size(); }
  size_t memories() const { return memories_.size(); }
  size_t segments() const;

 private:
  struct Message;
  // A segment that was handed to the connections of its channel: one of them has its bytes, each
  // of them has its end.
  struct Handed {
    uint64_t cookie = 0;
    OfferId offer;
    uint32_t left = 0;  // connections that have not acknowledged it
    bool done = false;  // reported; what comes back for it changes nothing
  };
  struct Flight {
    std::shared_ptr<Handed> handed;
    std::shared_ptr<Message> message;
    uint64_t number = 0;
  };
  // A connection, or queue pair.
  struct Link {
    WirePtr wire;
    int end = 0;
    uint32_t rail = 0;
    uint32_t remote_rail = 0;
    std::deque<Flight> flights;
  };
  struct Channel {
    PeerId peer;
    bool source = false;
    bool up = false;
    std::vector<Link> links;
    std::deque<transport::Segment> queue;
    TimePoint used;
  };
  struct OpenedWindow {
    transport::Window window;
    Holder holder = 0;
    bool broken = false;
    ChannelId channel;  // that its part comes over
    uint64_t bytes = 0;
    transport::ChunkOrder order;
    uint32_t closed = 0;  // kWritten: by these links of the channel
    bool whole = false;
    std::optional<TimePoint> fence_due;  // kWritten: fencing
  };
  struct Arrived {
    ChannelId channel;
    PeerId peer;
    std::shared_ptr<const Message> message;
    size_t link = 0;
    size_t links = 1;  // of the channel
  };
  using WindowKey = std::pair<PeerId, OfferId>;
  using Event = std::function<void(transport::Events*)>;

  void Dial(ChannelId id, size_t link, const std::string& address, uint64_t far_channel);
  void OnAccepted(const WirePtr& wire);
  // Which connection of which channel it is; none: it was refused.
  std::pair<ChannelId, size_t> OnGreeting(const WirePtr& wire, const Message& greeting);
  void OnMessage(ChannelId channel, size_t link, const Payload& payload);
  void OnWireClosed(ChannelId channel, size_t link, const absl::Status& why);
  void EndSegments(Channel* channel, const absl::Status& why);
  void EndHanded(Handed* handed, const absl::Status& status);
  void SegmentDone(uint64_t cookie, const absl::Status& status);
  bool PumpSource(ChannelId id, Channel* channel);
  void SendOver(ChannelId id, Channel* channel, size_t link, const std::shared_ptr<Handed>& handed,
                std::shared_ptr<Message> message);
  std::shared_ptr<Message> MakeMessage(const transport::Segment& segment);
  static void ReadRuns(const Message& message, std::vector<std::byte>* bytes,
                       std::vector<planner::CopyRun>* all = nullptr);
  void LandArrived();
  void Land(const Arrived& arrived);
  absl::Status LandIn(OpenedWindow* window, ChannelId id, const Message& message);
  void Break(const WindowKey& key, OpenedWindow* window, const absl::Status& why);
  void Raise(Event event);
  // kWritten: transport_written.cc, transport_rails.cc.
  void OnWrite(ChannelId channel, size_t link, const Message& message);
  void OnImmediate(const Arrived& arrived);
  void OnAck(Channel* channel, size_t link);
  void ExpectAck(ChannelId channel, size_t link, uint64_t flight);
  void Closed(const WindowKey& key);
  bool EndLateFences(TimePoint now);
  void DestroyChannels(PeerId peer, const absl::Status& cause);
  void Destroy(std::map<ChannelId, Channel>::iterator channel, const absl::Status& cause);
  void FailLink(ChannelId channel, size_t link, const absl::Status& cause);
  void FailChannel(ChannelId channel, const absl::Status& cause);
  bool CheckRails(TimePoint now);
  std::vector<uint32_t> UsableRails() const;
  std::vector<uint32_t> RailsTo(PeerId peer) const;
  absl::StatusOr<std::vector<uint32_t>> RailsFor(absl::string_view open);

  Network* const network_;
  const ProcessPtr process_;
  // Where its connections end: the device, which goes on while the process is stopped, or the
  // process itself.
  const ProcessPtr wires_at_;
  const std::string address_;
  const PathKind kind_;
  const PathTraits traits_;
  const std::function<void()> wake_;
  transport::Capabilities capabilities_;
  transport::Counters counters_;
  std::shared_ptr<Pool> next_export_;
  uint32_t last_memory_ = 0;
  uint64_t last_channel_ = 0;
  uint64_t last_flight_ = 0;
  // kWritten: whose pages a name meant last, for writes that come when its window is gone.
  std::map<WindowKey, Holder> holders_;
  transport::verbs::PathPauses pauses_;
  // Fences that ended without the source's word: it gets no channel before it has answered.
  std::map<PeerId, std::set<OfferId>> unanswered_;
  std::map<MemoryId, std::shared_ptr<Pool>> memories_;
  std::map<ChannelId, Channel> channels_;
  std::map<WindowKey, OpenedWindow> windows_;
  std::deque<Arrived> arrived_;
  std::deque<Event> events_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_SIM_TRANSPORT_H_
