// Two agents over real gRPC on loopback.
#include "transfer_agent/control/peer_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/reason.h"
#include "transfer_agent/control/test_agent.h"

namespace baton::control {
namespace {

TEST(PeerLinks, BothSidesLearnOfEachOther) {
  TestAgent source(11), target(22);
  target.links->Dial(source.address());
  target.AwaitPeer(0);
  source.AwaitPeer(0);
  PeerInfo seen_by_target = target.events.peer(0).info;
  PeerInfo seen_by_source = source.events.peer(0).info;
  EXPECT_EQ(seen_by_target.address, source.address());
  EXPECT_EQ(seen_by_target.epoch, Epoch(11));
  EXPECT_TRUE(seen_by_target.dialled);
  EXPECT_EQ(seen_by_source.address, target.address());
  EXPECT_EQ(seen_by_source.epoch, Epoch(22));
  EXPECT_FALSE(seen_by_source.dialled);
  EXPECT_EQ(seen_by_source.planner_version, 1u);
}

TEST(PeerLinks, FramesArriveInOrderOnBothStreamsBothWays) {
  TestAgent a(1), b(2);
  b.links->Dial(a.address());
  const PeerId to_a = b.AwaitPeer(0), to_b = a.AwaitPeer(0);
  constexpr uint64_t kCount = 500;
  for (uint64_t i = 0; i < kCount; ++i) {
    for (Priority priority : kPriorities) {
      ASSERT_TRUE(b.links->Send(to_a, priority, Numbered(i)).ok());
      ASSERT_TRUE(a.links->Send(to_b, priority, Numbered(i)).ok());
    }
  }
  for (TestAgent* agent : {&a, &b}) {
    for (Priority priority : kPriorities) {
      ASSERT_TRUE(Eventually([&] { return agent->events.frame_count(0, priority) == kCount; }));
      auto peer = agent->events.peer(0);
      for (uint64_t i = 0; i < kCount; ++i) {
        EXPECT_EQ(peer.frames[Index(priority)][i].channel_open().channel(), i);
      }
    }
  }
}

TEST(PeerLinks, AnnouncesBeforeAnythingElseAndAgainAtEachChange) {
  TestAgent source(1), target(2);
  source.links->SetAnnounced(Announcing("first"));
  target.links->SetAnnounced(Announcing("target"));
  target.links->Dial(source.address());
  const PeerId to_target = source.AwaitPeer(0);
  ASSERT_TRUE(source.links->Send(to_target, Priority::kBulk, Numbered(7)).ok());
  source.links->SetAnnounced(Announcing("second"));
  ASSERT_TRUE(Eventually([&] { return target.events.frame_count(0, Priority::kBulk) == 3; }));
  auto got = target.events.peer(0).frames[Index(Priority::kBulk)];
  EXPECT_EQ(got[0].announce().ranks(0).rank().server(), "first");
  EXPECT_EQ(got[1].channel_open().channel(), 7u);
  EXPECT_EQ(got[2].announce().ranks(0).rank().server(), "second");
  EXPECT_TRUE(Eventually([&] { return source.events.frame_count(0, Priority::kBulk) == 1; }));
}

TEST(PeerLinks, AnAgentMayDialItself) {
  TestAgent agent(5);
  agent.links->Dial(agent.address());
  const PeerId one = agent.AwaitPeer(0), other = agent.AwaitPeer(1);
  EXPECT_NE(agent.events.peer(0).info.dialled, agent.events.peer(1).info.dialled);
  ASSERT_TRUE(agent.links->Send(one, Priority::kUrgent, Numbered(1)).ok());
  ASSERT_TRUE(agent.links->Send(other, Priority::kUrgent, Numbered(2)).ok());
  EXPECT_TRUE(Eventually([&] {
    return agent.events.frame_count(0, Priority::kUrgent) == 1 &&
           agent.events.frame_count(1, Priority::kUrgent) == 1;
  }));
}

TEST(PeerLinks, ASilentAddressIsReportedAndTriedAgain) {
  TestAgent target(2);
  std::string address;
  {
    TestAgent gone(1);
    address = gone.address();
  }
  target.links->Dial(address);
  ASSERT_TRUE(Eventually([&] { return !target.events.dial_failures().empty(); }));
  EXPECT_EQ(target.events.dial_failures()[0].first, address);
  PeerLinksOptions options = TestAgent::Options(3);
  options.listen_address = address;
  TestAgent back(options);
  target.AwaitPeer(0);
  EXPECT_EQ(target.events.peer(0).info.epoch, Epoch(3));
}

TEST(PeerLinks, ARestartIsAnotherPeer) {
  TestAgent target(2);
  PeerLinksOptions options = TestAgent::Options(10);
  auto source = std::make_unique<TestAgent>(options);
  options.listen_address = source->address();
  target.links->Dial(source->address());
  const PeerId old = target.AwaitPeer(0);
  source = nullptr;
  options.epoch = Epoch(11);
  source = std::make_unique<TestAgent>(options);
  target.AwaitPeer(1);
  EXPECT_TRUE(target.events.down(0)) << "the old one's end comes before the new one";
  EXPECT_EQ(target.events.peer(1).info.epoch, Epoch(11));
  EXPECT_EQ(ReasonOf(target.links->Send(old, Priority::kBulk, Numbered(1))), Reason::kPeerLost);
}

TEST(PeerLinks, AnAcceptorSeesADiallersRestartAtOnce) {
  PeerLinksOptions patient = TestAgent::Options(1);
  patient.silence = std::chrono::hours(1);
  TestAgent source(patient);
  PeerLinksOptions options = TestAgent::Options(20);
  auto target = std::make_unique<TestAgent>(options);
  options.listen_address = target->address();
  target->links->Dial(source.address());
  source.AwaitPeer(0);
  target = nullptr;
  options.epoch = Epoch(21);
  target = std::make_unique<TestAgent>(options);
  target->links->Dial(source.address());
  source.AwaitPeer(1);
  EXPECT_TRUE(source.events.down(0));
  EXPECT_EQ(source.events.peer(1).info.epoch, Epoch(21));
}

TEST(PeerLinks, WhoLeavesIsGoneAtOnceOnBothSidesOfALink) {
  TestAgent source(1), target(2), other(3);
  target.links->Dial(source.address());
  source.links->Dial(other.address());
  target.AwaitPeer(0);
  other.AwaitPeer(0);
  ASSERT_TRUE(Eventually([&] { return source.events.up_count() == 2; }));
  source.links->Leave("it is upgraded", std::chrono::minutes(1));
  for (TestAgent* peer : {&target, &other}) {
    ASSERT_TRUE(Eventually([&] { return peer->events.down(0); }));
    EXPECT_NE(peer->events.peer(0).cause.message().find("has left: it is upgraded"),
              absl::string_view::npos)
        << peer->events.peer(0).cause;
  }
}

TEST(PeerLinks, UndialEndsThePeerOnBothSides) {
  TestAgent source(1), target(2);
  target.links->Dial(source.address());
  target.AwaitPeer(0);
  source.AwaitPeer(0);
  target.links->Undial(source.address());
  EXPECT_TRUE(Eventually([&] { return target.events.down(0); }));
  EXPECT_TRUE(Eventually([&] { return source.events.down(0); }));
  EXPECT_TRUE(target.links->Status().empty());
}

TEST(PeerLinks, NoMorePeersThanItsBound) {
  PeerLinksOptions options = TestAgent::Options(1);
  options.peers_max = 1;
  TestAgent source(options), first(2), second(3);
  first.links->Dial(source.address());
  source.AwaitPeer(0);
  second.links->Dial(source.address());
  ASSERT_TRUE(Eventually([&] { return !second.events.dial_failures().empty(); }));
  EXPECT_EQ(ReasonOf(second.events.dial_failures()[0].second), Reason::kPeerRefused);
  EXPECT_EQ(second.events.up_count(), 0u);
}

TEST(PeerLinks, APortInUseNamesTheFlag) {
  TestAgent first(1);
  PeerLinksOptions options = TestAgent::Options(2);
  options.listen_address = first.address();
  Recorder events;
  absl::Status status = MakePeerLinks(options, &events)->Start();
  EXPECT_EQ(ReasonOf(status), Reason::kConfig);
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(testing::HasSubstr("--listen=" + first.address()),
                             testing::HasSubstr("Address already in use")));
}

}  // namespace
}  // namespace baton::control
