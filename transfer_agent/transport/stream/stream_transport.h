// A Transport over connections: channels, greetings, windows, events and the poll loop. What goes
// over the sockets is the Path's (tcp, shm).
//
// Edge-triggered epoll: a channel is runnable from an edge, or a Submit, until its link blocks.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_STREAM_TRANSPORT_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_STREAM_TRANSPORT_H_

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/stream/channel.h"
#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/stream/listener.h"
#include "transfer_agent/transport/stream/memory_table.h"
#include "transfer_agent/transport/stream/path.h"
#include "transfer_agent/transport/stream/window_table.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// Of one peer's sources at one worker: a worker of theirs needs one channel.
inline constexpr uint32_t kUnsettledPerPeerMax = 128;
inline constexpr uint32_t kAcceptedPerPeerMax = 512;

struct StreamOptions {
  bool checksums = false;
  Duration handshake_timeout = std::chrono::seconds(10);
};

class StreamTransport final : public Transport {
 public:
  static absl::StatusOr<std::unique_ptr<Transport>> Create(std::unique_ptr<Path> path,
                                                           const StreamOptions& options);

  const Capabilities& capabilities() const override { return path_->capabilities(); }
  absl::StatusOr<ExportedMemory> ExportMemory(absl::Span<const LocalRegion> regions) override;
  void ForgetMemory(MemoryId memory) override;
  void PrepareMemory(absl::Span<const LocalRegion> regions) override {
    path_->PrepareMemory(regions);
  }
  absl::StatusOr<RemoteMemoryId> ImportMemory(PeerId peer, absl::string_view key) override;
  absl::Status CheckReach(MemoryId memory, absl::string_view key) override {
    return path_->CheckReach(memory, key);
  }
  absl::StatusOr<OpenedChannel> Open(PeerId peer) override;
  absl::StatusOr<OpenedChannel> Accept(PeerId peer, absl::string_view data) override;
  absl::Status Complete(ChannelId channel, absl::string_view data) override;
  void Close(ChannelId channel) override;
  void ForgetPeer(PeerId peer) override;
  absl::Status OpenWindow(Window window) override;
  void Fence(PeerId peer, OfferId offer) override;
  Submitted Submit(ChannelId channel, Segment segment) override;
  void Cancel(ChannelId channel, OfferId offer) override;
  bool Poll(TimePoint now, Events* events) override;
  int wait_fd() const override { return epoll_.get(); }
  bool PrepareToSleep() override;
  Counters counters() const override { return counters_; }

 private:
  StreamTransport(std::unique_ptr<Path> path, const StreamOptions& options, UniqueFd epoll,
                  UniqueFd timer, UniqueFd listening);

  // What a peer's sources have asked for here and still have.
  struct PeerChannels {
    uint32_t accepted = 0;
    uint32_t unsettled = 0;  // of these
  };

  // stream_setup.cc
  Channel* NewChannel(PeerId peer, ChannelState state);
  // It is up, or gone.
  void Settle(Channel* channel);
  LinkContext ContextOf(const Channel& channel, bool checksums);
  absl::Status Watch(Channel* channel);
  absl::Status Connect(Channel* channel, absl::string_view data);
  void Attach(Listener::Greeted greeted);
  void Shake(Channel* channel);
  void CheckDeadlines(TimePoint now);
  void ArmTimer(TimePoint now);
  void Fail(ChannelId channel, const absl::Status& cause);
  void Remove(ChannelId channel, const absl::Status& cause);

  // stream_transport.cc
  Channel* Find(ChannelId channel);
  void MakeRunnable(Channel* channel);
  void DropWindow(PeerId peer, OfferId offer);
  bool Progress();
  bool Gather(TimePoint now);
  void OnSocket(uint64_t tag, uint32_t flags, TimePoint now);
  bool Run();

  const std::unique_ptr<Path> path_;
  const StreamOptions options_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::optional<Listener> listener_;
  MemoryTable memories_;
  WindowTable windows_;
  // Fenced, while the path still writes to them.
  std::vector<std::unique_ptr<OpenedWindow>> closing_;
  EventQueue events_;
  Counters counters_;
  uint64_t last_channel_ = 0;
  uint32_t last_import_ = 0;
  // Channels that are not up: without a deadline yet, and by it.
  std::vector<ChannelId> fresh_;
  std::set<std::pair<TimePoint, ChannelId>> deadlines_;
  std::optional<TimePoint> armed_;
  absl::flat_hash_map<ChannelId, std::unique_ptr<Channel>> channels_;
  absl::flat_hash_map<PeerId, PeerChannels> peers_;
  std::deque<ChannelId> runnable_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_STREAM_TRANSPORT_H_
