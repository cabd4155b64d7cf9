#include "transfer_agent/control/peer_core.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/reason.h"
#include "tests/support/drawing.h"

namespace baton::control {
namespace {

using std::chrono::milliseconds;

constexpr Priority kBulk = Priority::kBulk, kUrgent = Priority::kUrgent;

Body Text(const std::string& text) { return std::make_shared<const std::string>(text); }

class PeerCoreTest : public testing::Test {
 protected:
  PeerCore Up(const PeerCoreOptions& options = {}) {
    PeerCore core(options);
    EXPECT_FALSE(*core.Attach(kUrgent, 0, now_));
    EXPECT_TRUE(*core.Attach(kBulk, 0, now_));
    return core;
  }
  std::vector<std::string> Sent(PeerCore* core, Priority priority) {
    std::vector<std::string> bodies;
    while (auto out = core->Next(priority, now_)) bodies.push_back(*out->body);
    return bodies;
  }
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
};

using Bodies = std::vector<std::string>;

TEST(PeerStates, TheDrawingIsCurrent) {
  EXPECT_EQ(DrawingOf("control_peer"),
            RenderDot("control_peer", absl::MakeConstSpan(kPeerRows), PeerState::kJoining));
}

TEST_F(PeerCoreTest, IsUpWhenBothStreamsAreForTheFirstTime) {
  PeerCore core((PeerCoreOptions()));
  EXPECT_FALSE(*core.Attach(kBulk, 0, now_));
  EXPECT_EQ(core.state(), PeerState::kJoining);
  EXPECT_TRUE(*core.Attach(kUrgent, 0, now_));
  EXPECT_EQ(core.state(), PeerState::kUp);
  core.Detach(kUrgent);
  EXPECT_EQ(core.state(), PeerState::kImpaired);
  EXPECT_FALSE(*core.Attach(kUrgent, 0, now_)) << "not for the first time";
  EXPECT_EQ(core.state(), PeerState::kUp);
}

TEST_F(PeerCoreTest, ANewConnectionReplacesTheOld) {
  PeerCore core = Up();
  EXPECT_FALSE(*core.Attach(kBulk, 0, now_));
  EXPECT_EQ(core.state(), PeerState::kUp);
}

TEST_F(PeerCoreTest, AStreamThatNeverCameCountsFromTheFirst) {
  PeerCore core((PeerCoreOptions()));
  now_ += std::chrono::hours(1);
  EXPECT_FALSE(core.Silence(now_).has_value()) << "nobody has answered yet: go on trying";
  ASSERT_TRUE(core.Attach(kUrgent, 0, now_).ok());
  EXPECT_FALSE(core.Silence(now_ + milliseconds(2999)).has_value());
  EXPECT_TRUE(core.Silence(now_ + milliseconds(3000)).has_value());
}

TEST_F(PeerCoreTest, SilenceOnEitherStreamNamesIt) {
  PeerCore core = Up();
  now_ += milliseconds(2000);
  ASSERT_TRUE(core.Receive(kUrgent, 0, 0, 2, now_).ok());
  now_ += milliseconds(1000);
  auto silent = core.Silence(now_);
  ASSERT_TRUE(silent.has_value());
  EXPECT_EQ(ReasonOf(*silent), Reason::kPeerLost);
  EXPECT_EQ(silent->message(), "no word on its bulk stream for 3000 ms");
}

TEST_F(PeerCoreTest, BulkIsQuieterThanUrgentButNotSilent) {
  PeerCore core = Up();
  now_ += milliseconds(500);
  EXPECT_EQ(Sent(&core, kUrgent).size(), 1u);
  EXPECT_EQ(Sent(&core, kBulk).size(), 0u);
  now_ += milliseconds(500);
  EXPECT_EQ(Sent(&core, kBulk).size(), 1u);
}

TEST_F(PeerCoreTest, KeepsTimeForItsCaller) {
  PeerCore core = Up();
  EXPECT_EQ(core.NextDeadline(), now_ + milliseconds(500)) << "the urgent heartbeat";
  core.Detach(kUrgent);
  EXPECT_EQ(core.NextDeadline(), now_ + milliseconds(1000)) << "the bulk heartbeat";
  core.Detach(kBulk);
  EXPECT_EQ(core.NextDeadline(), now_ + milliseconds(3000)) << "silence";
  core.End();
  EXPECT_EQ(core.NextDeadline(), TimePoint::max());
}

TEST_F(PeerCoreTest, FramesWaitWhileAStreamIsAway) {
  PeerCore core = Up();
  core.Detach(kBulk);
  ASSERT_TRUE(core.Push(kBulk, Text("a")).ok());
  EXPECT_EQ(Sent(&core, kBulk), Bodies());
  EXPECT_FALSE(*core.Receive(kBulk, 1, 0, 1, now_)) << "from a connection that is gone";
  ASSERT_TRUE(core.Attach(kBulk, 0, now_).ok());
  EXPECT_EQ(Sent(&core, kBulk), Bodies({"a"}));
}

TEST_F(PeerCoreTest, NothingPassesAfterTheEnd) {
  PeerCore core = Up();
  EXPECT_TRUE(core.End());
  EXPECT_FALSE(core.End());
  EXPECT_EQ(ReasonOf(core.Push(kBulk, Text("a"))), Reason::kPeerLost);
  EXPECT_FALSE(core.Attach(kBulk, 0, now_).ok());
  EXPECT_FALSE(core.Silence(now_ + std::chrono::hours(1)).has_value());
  core.Detach(kBulk);
  EXPECT_EQ(core.state(), PeerState::kDown);
}

TEST_F(PeerCoreTest, AnAnnouncementThatFindsNoRoomGoesBeforeLaterFrames) {
  PeerCoreOptions options;
  options.unacked_bytes_max = 2 * (10 + kFrameOverheadBytes);
  PeerCore core = Up(options);
  ASSERT_TRUE(core.Push(kBulk, Text(std::string(10, '1'))).ok());
  ASSERT_TRUE(core.Push(kBulk, Text(std::string(10, '2'))).ok());
  core.Announce(Text("old"));
  core.Announce(Text("new"));
  EXPECT_EQ(ReasonOf(core.Push(kBulk, Text(""))), Reason::kFull);
  EXPECT_EQ(Sent(&core, kBulk).size(), 2u);
  ASSERT_TRUE(core.Receive(kBulk, 0, 1, 2, now_).ok());
  ASSERT_TRUE(core.Receive(kBulk, 0, 2, 2, now_).ok());
  ASSERT_TRUE(core.Push(kBulk, Text("after")).ok());
  EXPECT_EQ(Sent(&core, kBulk), Bodies({"new", "after"}));
}

TEST_F(PeerCoreTest, OnlyTheLatestAnnouncementAwaitsThePeer) {
  PeerCore core((PeerCoreOptions()));
  core.Announce(Text("old"));
  core.Announce(Text("new"));
  EXPECT_EQ(core.unacked_bytes(), 0u);
  ASSERT_TRUE(core.Attach(kBulk, 0, now_).ok());
  EXPECT_EQ(Sent(&core, kBulk), Bodies());
  ASSERT_TRUE(core.Attach(kUrgent, 0, now_).ok());
  EXPECT_EQ(Sent(&core, kBulk), Bodies({"new"}));
}

TEST_F(PeerCoreTest, UrgentHasABoundOfItsOwn) {
  PeerCoreOptions options;
  options.unacked_bytes_max = 10 + kFrameOverheadBytes;
  PeerCore core = Up(options);
  ASSERT_TRUE(core.Push(kBulk, Text(std::string(10, 'x'))).ok());
  EXPECT_EQ(ReasonOf(core.Push(kBulk, Text("x"))), Reason::kFull);
  EXPECT_TRUE(core.Push(kUrgent, Text("fence")).ok());
}

}  // namespace
}  // namespace baton::control
