// Two agents over real gRPC, with a proxy between them that cuts, stalls and delays.
#include <gtest/gtest.h>

#include "common/reason.h"
#include "tests/support/cut_proxy.h"
#include "transfer_agent/control/test_agent.h"

namespace baton::control {
namespace {

using std::chrono::milliseconds;

// Numbers of the channel_open frames that arrived, in order.
std::vector<uint64_t> NumbersOf(const Recorder::Peer& peer, Priority priority) {
  std::vector<uint64_t> numbers;
  for (const v1::Frame& frame : peer.frames[Index(priority)]) {
    if (frame.has_channel_open()) numbers.push_back(frame.channel_open().channel());
  }
  return numbers;
}

std::vector<uint64_t> FirstNumbers(uint64_t count) {
  std::vector<uint64_t> numbers(count);
  for (uint64_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

PeerLinksOptions Patient(uint64_t epoch) {
  PeerLinksOptions options = TestAgent::Options(epoch);
  options.silence = std::chrono::minutes(10);
  return options;
}

TEST(PeerLinksFaults, EveryFrameArrivesOnceThoughConnectionsAreCut) {
  TestAgent source(Patient(1)), target(Patient(2));
  CutProxy proxy(source.address(), 7);
  target.links->Dial(proxy.address());
  const PeerId to_source = target.AwaitPeer(0), to_target = source.AwaitPeer(0);
  proxy.SetFaults({.stall = false, .cut_after_bytes = 150000, .delay = {}, .jitter = {}});
  constexpr uint64_t kFrames = 1000;
  for (uint64_t i = 0; i < kFrames; ++i) {
    for (Priority priority : kPriorities) {
      ASSERT_TRUE(target.links->Send(to_source, priority, Numbered(i, 500)).ok());
      ASSERT_TRUE(source.links->Send(to_target, priority, Numbered(i, 500)).ok());
    }
  }
  for (TestAgent* agent : {&source, &target}) {
    for (Priority priority : kPriorities) {
      EXPECT_TRUE(Eventually([&] { return agent->events.frame_count(0, priority) >= kFrames; }));
      EXPECT_EQ(NumbersOf(agent->events.peer(0), priority), FirstNumbers(kFrames));
    }
    EXPECT_FALSE(agent->events.down(0));
    EXPECT_EQ(agent->events.up_count(), 1u);
  }
  EXPECT_GT(proxy.counters().cuts, 10u);
}

TEST(PeerLinksFaults, AStoppedPeerIsDownAfterItsSilenceAndBackWhenItWakes) {
  TestAgent source(1), target(2);
  CutProxy proxy(source.address(), 1);
  target.links->Dial(proxy.address());
  target.AwaitPeer(0);
  source.AwaitPeer(0);
  proxy.SetFaults({.stall = true, .cut_after_bytes = 0, .delay = {}, .jitter = {}});
  ASSERT_TRUE(Eventually([&] { return target.events.down(0) && source.events.down(0); }));
  EXPECT_EQ(ReasonOf(target.events.peer(0).cause), Reason::kPeerLost);
  EXPECT_EQ(ReasonOf(source.events.peer(0).cause), Reason::kPeerLost);
  proxy.SetFaults({});
  EXPECT_NE(target.AwaitPeer(1), target.events.id(0));
  source.AwaitPeer(1);
  EXPECT_EQ(target.events.peer(1).info.epoch, Epoch(1)) << "the same process, another peer";
}

TEST(PeerLinksFaults, AShortStallCostsNothing) {
  TestAgent source(Patient(1)), target(Patient(2));
  CutProxy proxy(source.address(), 1);
  target.links->Dial(proxy.address());
  const PeerId to_source = target.AwaitPeer(0);
  source.AwaitPeer(0);
  proxy.SetFaults({.stall = true, .cut_after_bytes = 0, .delay = {}, .jitter = {}});
  ASSERT_TRUE(target.links->Send(to_source, Priority::kUrgent, Numbered(1)).ok());
  proxy.CutAll();
  proxy.SetFaults({});
  EXPECT_TRUE(Eventually([&] { return source.events.frame_count(0, Priority::kUrgent) == 1; }));
  EXPECT_FALSE(source.events.down(0));
}

TEST(PeerLinksFaults, UrgentOvertakesBulk) {
  TestAgent source(Patient(1)), target(Patient(2));
  CutProxy proxy(source.address(), 1);
  target.links->Dial(proxy.address());
  const PeerId to_source = target.AwaitPeer(0);
  source.AwaitPeer(0);
  // 256 KiB every 20 ms: what follows takes more than half a second.
  proxy.SetFaults({.stall = false, .cut_after_bytes = 0, .delay = milliseconds(20), .jitter = {}});
  constexpr size_t kBulk = 200;
  for (uint64_t i = 0; i < kBulk; ++i) {
    ASSERT_TRUE(target.links->Send(to_source, Priority::kBulk, Numbered(i, 60000)).ok());
  }
  ASSERT_TRUE(target.links->Send(to_source, Priority::kUrgent, Numbered(0)).ok());
  ASSERT_TRUE(Eventually([&] { return source.events.frame_count(0, Priority::kUrgent) == 1; }));
  EXPECT_LT(source.events.frame_count(0, Priority::kBulk), kBulk);
  EXPECT_TRUE(Eventually([&] { return source.events.frame_count(0, Priority::kBulk) == kBulk; }));
}

TEST(PeerLinksFaults, ASlowPeerFillsItsBoundAndNothingElse) {
  PeerLinksOptions options = Patient(2);
  options.unacked_bytes_max = 1 << 20;
  TestAgent slow(Patient(1)), quick(Patient(3)), target(options);
  CutProxy proxy(slow.address(), 1);
  target.links->Dial(proxy.address());
  const PeerId to_slow = target.AwaitPeer(0);
  target.links->Dial(quick.address());
  const PeerId to_quick = target.AwaitPeer(1);
  proxy.SetFaults({.stall = true, .cut_after_bytes = 0, .delay = {}, .jitter = {}});
  absl::Status status;
  uint64_t accepted = 0;
  while ((status = target.links->Send(to_slow, Priority::kBulk, Numbered(accepted, 10000))).ok()) {
    ++accepted;
    ASSERT_LE(accepted * 10000, options.unacked_bytes_max);
  }
  EXPECT_EQ(ReasonOf(status), Reason::kFull);
  EXPECT_TRUE(target.links->Send(to_slow, Priority::kUrgent, Numbered(0)).ok());
  EXPECT_TRUE(target.links->Send(to_quick, Priority::kBulk, Numbered(0)).ok());
  EXPECT_TRUE(Eventually([&] { return quick.events.frame_count(0, Priority::kBulk) == 1; }));
  proxy.SetFaults({});
  EXPECT_TRUE(Eventually([&] { return slow.events.frame_count(0, Priority::kBulk) == accepted; }));
}

}  // namespace
}  // namespace baton::control
