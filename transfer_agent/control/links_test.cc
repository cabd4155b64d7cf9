// Links over wires in memory: threads, locks and faults without gRPC, so that ThreadSanitizer can
// judge them.
#include "transfer_agent/control/links.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "common/reason.h"
#include "tests/support/eventually.h"
#include "transfer_agent/control/memory_wires.h"
#include "transfer_agent/control/recorder.h"

namespace baton::control {
namespace {

v1::Frame Numbered(uint64_t number) {
  v1::Frame frame;
  frame.mutable_channel_open()->set_channel(number);
  frame.mutable_channel_open()->set_transport("tcp");
  return frame;
}

struct Agent {
  Agent(MemoryNet* net, const std::string& name, uint64_t epoch,
        std::chrono::milliseconds silence = std::chrono::minutes(10))
      : links(Options(name, epoch, silence), &events, net->MakeWires()) {
    absl::Status started = links.Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  static PeerLinksOptions Options(const std::string& name, uint64_t epoch,
                                  std::chrono::milliseconds silence) {
    PeerLinksOptions options;
    options.listen_address = name + ":1";
    options.epoch = Epoch(epoch);
    options.heartbeat = std::chrono::milliseconds(20);
    options.silence = silence;
    return options;
  }
  PeerId AwaitPeer(size_t n) {
    EXPECT_TRUE(Eventually([&] { return events.up_count() > n; }));
    return events.up_count() > n ? events.id(n) : PeerId();
  }

  Recorder events;
  Links links;
};

constexpr uint64_t kFrames = 3000;

void SendFrames(Links* links, PeerId to, Priority priority) {
  for (uint64_t i = 0; i < kFrames; ++i) {
    ASSERT_TRUE(links->Send(to, priority, Numbered(i)).ok());
  }
}

// Numbers of the frames of SendFrames that arrived, in order.
std::vector<uint64_t> Arrived(const Agent& agent, Priority priority) {
  std::vector<uint64_t> numbers;
  for (const v1::Frame& frame : agent.events.peer(0).frames[Index(priority)]) {
    if (frame.has_channel_open()) numbers.push_back(frame.channel_open().channel());
  }
  return numbers;
}

TEST(Links, FramesSurviveCutsOnceAndInOrder) {
  MemoryNet net(3);
  Agent a(&net, "a", 1), b(&net, "b", 2);
  b.links.Dial("a:1");
  const PeerId to_a = b.AwaitPeer(0), to_b = a.AwaitPeer(0);
  std::atomic<bool> done = false;
  std::thread cutter([&] {
    std::mt19937_64 random(7);
    while (!done) {
      net.Cut(random());
      a.links.SetAnnounced({});
      b.links.Status();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> senders;
  for (Priority priority : kPriorities) {
    senders.emplace_back(SendFrames, &a.links, to_b, priority);
    senders.emplace_back(SendFrames, &b.links, to_a, priority);
  }
  for (std::thread& sender : senders) sender.join();
  done = true;
  cutter.join();
  std::vector<uint64_t> all(kFrames);
  std::iota(all.begin(), all.end(), 0);
  for (Agent* agent : {&a, &b}) {
    for (Priority priority : kPriorities) {
      EXPECT_TRUE(Eventually([&] { return Arrived(*agent, priority).size() >= kFrames; }));
      EXPECT_EQ(Arrived(*agent, priority), all) << Name(priority);
    }
    EXPECT_EQ(agent->events.up_count(), 1u) << "a cut is no end";
    EXPECT_FALSE(agent->events.down(0));
  }
}

TEST(Links, SilenceEndsAPeerOnBothSidesAndTheyMeetAgain) {
  MemoryNet net(2);
  Agent a(&net, "a", 1, std::chrono::milliseconds(400));
  Agent b(&net, "b", 2, std::chrono::milliseconds(400));
  b.links.Dial("a:1");
  b.AwaitPeer(0);
  a.AwaitPeer(0);
  net.Stall(true);
  EXPECT_TRUE(Eventually([&] { return a.events.down(0) && b.events.down(0); }));
  EXPECT_EQ(ReasonOf(b.events.peer(0).cause), Reason::kPeerLost);
  net.Stall(false);
  b.AwaitPeer(1);
  a.AwaitPeer(1);
}

TEST(Links, RestartsUnderLoadAreAPeerEach) {
  MemoryNet net(3);
  Agent target(&net, "target", 1);
  target.links.Dial("source:1");
  for (uint64_t epoch = 100; epoch < 120; ++epoch) {
    const size_t n = epoch - 100;
    Agent source(&net, "source", epoch);
    const PeerId to_source = target.AwaitPeer(n);
    const PeerId to_target = source.AwaitPeer(0);
    for (uint64_t i = 0; i < 50; ++i) {
      ASSERT_TRUE(source.links.Send(to_target, Priority::kBulk, Numbered(i)).ok());
      target.links.Send(to_source, Priority::kUrgent, Numbered(i)).IgnoreError();
    }
    if (epoch % 2 == 0) {
      EXPECT_TRUE(Eventually([&] { return target.events.frame_count(n, Priority::kBulk) == 50; }));
    }
    EXPECT_EQ(target.events.peer(n).info.epoch, Epoch(epoch));
    EXPECT_TRUE(n == 0 || target.events.down(n - 1));
  }
}

TEST(Links, DialAndUndialFromEverywhereLeaveNothing) {
  MemoryNet net(3);
  Agent a(&net, "a", 1), b(&net, "b", 2), c(&net, "c", 3);
  std::vector<std::thread> threads;
  for (Agent* agent : {&a, &b, &c}) {
    threads.emplace_back([agent] {
      for (int i = 0; i < 200; ++i) {
        for (const char* address : {"a:1", "b:1", "c:1"}) {
          agent->links.Dial(address);
          if (i % 3 == 0) agent->links.Undial(address);
          agent->links.Status();
        }
      }
      for (const char* address : {"a:1", "b:1", "c:1"}) agent->links.Undial(address);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Agent* agent : {&a, &b, &c}) {
    EXPECT_TRUE(Eventually([&] {
      for (const PeerLinkStatus& status : agent->links.Status()) {
        if (status.peer.dialled) return false;
      }
      return true;
    }));
  }
}

TEST(Links, AGoodbyeEndsALinkAtOnceBehindAllThatWasSaidBefore) {
  MemoryNet net(2);
  // Silence would not end it in the time of this test.
  Agent a(&net, "a", 1, std::chrono::minutes(10));
  Agent b(&net, "b", 2, std::chrono::minutes(10));
  b.links.Dial("a:1");
  const PeerId to_a = b.AwaitPeer(0);
  const PeerId to_b = a.AwaitPeer(0);
  ASSERT_TRUE(a.links.Send(to_b, Priority::kUrgent, Numbered(7)).ok());
  a.links.Leave("it is upgraded", std::chrono::minutes(1));
  EXPECT_TRUE(a.links.Status().empty()) << "Leave waits for its peers to have heard";
  EXPECT_FALSE(a.events.down(0)) << "who leaves is told nothing of its own leaving";
  ASSERT_TRUE(Eventually([&] { return b.events.down(0); }));
  EXPECT_EQ(b.events.frame_count(0, Priority::kUrgent), 1u);
  EXPECT_EQ(ReasonOf(b.events.peer(0).cause), Reason::kPeerLost);
  EXPECT_TRUE(absl::StrContains(b.events.peer(0).cause.message(), "has left: it is upgraded"))
      << b.events.peer(0).cause;
  EXPECT_EQ(ReasonOf(b.links.Send(to_a, Priority::kUrgent, Numbered(8))), Reason::kPeerLost);
}

TEST(Links, ADiallersGoodbyeEndsItsLinkAndItDialsNoMore) {
  MemoryNet net(2);
  Agent a(&net, "a", 1, std::chrono::minutes(10));
  Agent b(&net, "b", 2, std::chrono::minutes(10));
  b.links.Dial("a:1");
  b.AwaitPeer(0);
  a.AwaitPeer(0);
  b.links.Leave("it is upgraded", std::chrono::minutes(1));
  ASSERT_TRUE(Eventually([&] { return a.events.down(0); }));
  b.links.Dial("a:1");
  EXPECT_TRUE(b.links.Status().empty());
  EXPECT_EQ(a.events.up_count(), 1u);
}

TEST(Links, AGoodbyeToAPeerThatDoesNotListenIsGivenUp) {
  MemoryNet net(2);
  Agent a(&net, "a", 1, std::chrono::minutes(10));
  Agent b(&net, "b", 2, std::chrono::minutes(10));
  b.links.Dial("a:1");
  b.AwaitPeer(0);
  a.AwaitPeer(0);
  net.Stall(true);
  a.links.Leave("it is upgraded", std::chrono::milliseconds(20));
  EXPECT_FALSE(b.events.down(0));
}

// An agent sends from inside of its events.
class Echo : public PeerEvents {
 public:
  void OnPeerUp(const PeerInfo&) override { links->SetAnnounced({}); }
  void OnPeerDown(PeerId, const absl::Status&) override {}
  void OnDialFailed(const std::string&, const absl::Status&) override {}
  void OnFrame(PeerId peer, Priority priority, v1::Frame frame) override {
    if (!frame.has_channel_open()) return;
    links->Status();
    EXPECT_TRUE(links->Send(peer, priority, std::move(frame)).ok());
  }
  void OnBadFrame(PeerId, const v1::Frame&, const absl::Status& cause) override {
    ADD_FAILURE() << cause;
  }
  Links* links = nullptr;
};

TEST(Links, AnEventMaySendAndAnnounce) {
  MemoryNet net(2);
  Echo echo;
  Links echoing(Agent::Options("echo", 9, std::chrono::minutes(10)), &echo, net.MakeWires());
  echo.links = &echoing;
  ASSERT_TRUE(echoing.Start().ok());
  Agent caller(&net, "caller", 1);
  caller.links.Dial("echo:1");
  const PeerId to_echo = caller.AwaitPeer(0);
  for (uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(caller.links.Send(to_echo, Priority::kUrgent, Numbered(i)).ok());
  }
  EXPECT_TRUE(Eventually([&] { return caller.events.frame_count(0, Priority::kUrgent) == 100; }));
  echoing.Stop();
}

TEST(Links, ABadFrameIsReportedOnceAndTheStreamGoesOn) {
  MemoryNet net(3);
  Agent target(&net, "target", 1), source(&net, "source", 2);
  target.links.Dial("source:1");
  const PeerId to_source = target.AwaitPeer(0);
  source.AwaitPeer(0);
  v1::Frame bad;
  bad.mutable_offer()->mutable_offer()->set_slot(1 << 20);
  ASSERT_TRUE(target.links.Send(to_source, Priority::kBulk, bad).ok());
  ASSERT_TRUE(target.links.Send(to_source, Priority::kBulk, Numbered(1)).ok());
  EXPECT_TRUE(Eventually([&] { return source.events.frame_count(0, Priority::kBulk) == 1; }));
  const auto reported = source.events.bad_frames();
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_TRUE(reported[0].first.has_offer());
  EXPECT_TRUE(absl::StrContains(reported[0].second.message(), "slot")) << reported[0].second;
  EXPECT_FALSE(source.events.down(0));
}

}  // namespace
}  // namespace baton::control
