// A network of transports inside one process, for tests of what stands above: a segment is copied
// when its target is polled, and nothing else ever happens unless the test asks for it.
//
//   FakeFabric fabric;
//   auto prefill = fabric.Join();
//   auto decode = fabric.Join();
//
// Single-threaded: all transports of a fabric are polled by one thread. They outlive no fabric.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_FAKE_FAKE_FABRIC_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_FAKE_FAKE_FABRIC_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

class FakeTransport;

class FakeFabric {
 public:
  // One member; its capabilities' name is `name`.
  std::unique_ptr<FakeTransport> Join(std::string name = "fake");
  // While held, segments stay where they are.
  void Hold(bool held) { held_ = held; }
  // Both ends of every channel between two members go down.
  void Cut(FakeTransport* a, FakeTransport* b);
  // What is submitted from now on is taken, and never arrives.
  void Lose(bool lost) { lost_ = lost; }
  // One end alone of every channel goes down; the other does not notice.
  void CutEnd(FakeTransport* of);

 private:
  friend class FakeTransport;
  std::map<uint64_t, FakeTransport*> members_;
  uint64_t next_member_ = 1;
  uint64_t next_channel_ = 1;
  bool held_ = false;
  bool lost_ = false;
};

class FakeTransport final : public Transport {
 public:
  FakeTransport(FakeFabric* fabric, uint64_t member, std::string name);
  ~FakeTransport() override;

  const Capabilities& capabilities() const override { return capabilities_; }
  absl::StatusOr<ExportedMemory> ExportMemory(absl::Span<const LocalRegion> regions) override;
  void ForgetMemory(MemoryId memory) override;
  absl::StatusOr<RemoteMemoryId> ImportMemory(PeerId peer, absl::string_view key) override;
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
  int wait_fd() const override { return -1; }
  bool PrepareToSleep() override { return true; }
  Counters counters() const override { return counters_; }

  size_t windows() const { return windows_.size(); }
  size_t memories() const { return memories_.size(); }

 private:
  friend class FakeFabric;
  struct Channel {
    PeerId peer;         // as this member knows it
    uint64_t other = 0;  // member at the far end; 0: not known yet
    ChannelId other_id;
    std::deque<Segment> queue;
  };
  using Event = std::function<void(Events*)>;

  void Down(ChannelId id, const std::string& why);
  void Move(Channel& channel, ChannelId id);
  // Copies one segment into a window of this member. False: no such window.
  bool Take(const FakeTransport& source, PeerId peer, const Segment& segment, uint64_t* bytes);

  FakeFabric* const fabric_;
  const uint64_t member_;
  const std::string name_;
  Capabilities capabilities_;
  Counters counters_;
  uint32_t next_memory_ = 1;
  std::map<MemoryId, std::vector<LocalRegion>> memories_;
  std::map<ChannelId, Channel> channels_;
  std::map<std::pair<PeerId, OfferId>, Window> windows_;
  std::map<std::pair<PeerId, OfferId>, uint64_t> landed_;
  std::deque<Event> events_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_FAKE_FAKE_FABRIC_H_
