#include "transfer_agent/control/session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/reason.h"

namespace baton::control {
namespace {

using std::chrono::milliseconds;

Body Text(const std::string& text) { return std::make_shared<const std::string>(text); }

// Time of these tests: only what Advance adds passes.
class SessionTest : public testing::Test {
 protected:
  void Advance(milliseconds by) { now_ += by; }
  // Numbers of what the session sends now; 0 for heartbeats.
  std::vector<uint64_t> Sent(Session* session) {
    std::vector<uint64_t> numbers;
    while (auto out = session->Next(now_)) numbers.push_back(out->seq);
    return numbers;
  }
  Session Connected(const SessionLimits& limits = {}) {
    Session session(limits);
    EXPECT_TRUE(session.Resume(0, now_).ok());
    return session;
  }
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
};

using Numbers = std::vector<uint64_t>;

TEST_F(SessionTest, NumbersWhatItSendsFromOne) {
  Session session = Connected();
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(session.Push(Text(text)).ok());
  EXPECT_EQ(Sent(&session), Numbers({1, 2, 3}));
  EXPECT_EQ(Sent(&session), Numbers());
}

TEST_F(SessionTest, ReplaysAfterAReconnectWhatThePeerLacks) {
  Session session = Connected();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(session.Push(Text("x")).ok());
  Sent(&session);
  ASSERT_TRUE(session.Resume(3, now_).ok());
  EXPECT_EQ(Sent(&session), Numbers({4, 5}));
}

TEST_F(SessionTest, DeliversEachFrameOnce) {
  Session session = Connected();
  EXPECT_TRUE(*session.Receive(1, 0, 10, now_));
  EXPECT_FALSE(*session.Receive(1, 0, 10, now_));
  EXPECT_TRUE(*session.Receive(2, 0, 10, now_));
  EXPECT_EQ(session.delivered(), 2u);
}

TEST_F(SessionTest, AGapIsAnError) {
  Session session = Connected();
  ASSERT_TRUE(session.Receive(1, 0, 10, now_).ok());
  auto verdict = session.Receive(3, 0, 10, now_);
  EXPECT_EQ(ReasonOf(verdict.status()), Reason::kBadMessage);
  EXPECT_EQ(verdict.status().message(), "frame 3 came after frame 1");
}

TEST_F(SessionTest, AnAcknowledgementOfWhatWasNeverSentIsAnError) {
  Session session = Connected();
  ASSERT_TRUE(session.Push(Text("x")).ok());
  EXPECT_FALSE(session.Receive(0, 1, 0, now_).ok()) << "pushed, not sent";
  Sent(&session);
  EXPECT_TRUE(session.Receive(0, 1, 0, now_).ok());
  EXPECT_FALSE(session.Receive(0, 2, 0, now_).ok());
}

TEST_F(SessionTest, ResumingWhereItCannotBeIsAnError) {
  Session session = Connected();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(session.Push(Text("x")).ok());
  Sent(&session);
  ASSERT_TRUE(session.Receive(0, 2, 0, now_).ok());
  EXPECT_FALSE(session.Resume(1, now_).ok()) << "it acknowledged 2";
  EXPECT_FALSE(session.Resume(4, now_).ok()) << "3 were sent";
  EXPECT_TRUE(session.Resume(2, now_).ok());
}

TEST_F(SessionTest, HoldsNoMoreThanItsBytes) {
  SessionLimits limits;
  limits.unacked_bytes_max = 3 * (100 + kFrameOverheadBytes);
  Session session = Connected(limits);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(session.Push(Text(std::string(100, 'x'))).ok());
  EXPECT_EQ(ReasonOf(session.Push(Text(""))), Reason::kFull);
  EXPECT_EQ(session.unacked_bytes(), limits.unacked_bytes_max);
  Sent(&session);
  ASSERT_TRUE(session.Receive(0, 3, 0, now_).ok());
  EXPECT_EQ(session.unacked_bytes(), 0u);
  EXPECT_TRUE(session.Push(Text("")).ok());
}

TEST_F(SessionTest, AFrameAboveTheLimitIsRefusedAlone) {
  SessionLimits limits;
  limits.frame_bytes_max = 10;
  Session session = Connected(limits);
  EXPECT_EQ(ReasonOf(session.Push(Text(std::string(11, 'x')))), Reason::kTooLarge);
  EXPECT_TRUE(session.Push(Text(std::string(10, 'x'))).ok());
}

TEST_F(SessionTest, AnAcknowledgementWaitsForAFrameToRideOn) {
  Session session = Connected();
  ASSERT_TRUE(session.Receive(1, 0, 10, now_).ok());
  EXPECT_EQ(Sent(&session), Numbers());
  ASSERT_TRUE(session.Push(Text("x")).ok());
  EXPECT_EQ(session.Next(now_)->ack, 1u);
  Advance(milliseconds(60));
  EXPECT_EQ(Sent(&session), Numbers()) << "it has been said";
}

TEST_F(SessionTest, AnAcknowledgementGoesAloneAfterItsDelay) {
  Session session = Connected();
  ASSERT_TRUE(session.Receive(1, 0, 10, now_).ok());
  EXPECT_EQ(session.NextDeadline(), now_ + milliseconds(50));
  Advance(milliseconds(50));
  auto out = session.Next(now_);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->seq, 0u);
  EXPECT_EQ(out->ack, 1u);
  EXPECT_EQ(out->body, HeartbeatBody());
}

TEST_F(SessionTest, MuchThatIsOwedIsAcknowledgedAtOnce) {
  SessionLimits limits;
  limits.ack_frames = 4;
  limits.ack_bytes = 1000;
  Session session = Connected(limits);
  for (uint64_t i = 1; i < 4; ++i) ASSERT_TRUE(session.Receive(i, 0, 1, now_).ok());
  EXPECT_EQ(Sent(&session), Numbers());
  ASSERT_TRUE(session.Receive(4, 0, 1, now_).ok());
  EXPECT_EQ(Sent(&session), Numbers({0}));
  ASSERT_TRUE(session.Receive(5, 0, 1000, now_).ok());
  EXPECT_EQ(Sent(&session), Numbers({0}));
}

TEST_F(SessionTest, SaysSomethingEveryHeartbeat) {
  Session session = Connected();
  EXPECT_EQ(Sent(&session), Numbers());
  Advance(milliseconds(500));
  EXPECT_EQ(Sent(&session), Numbers({0}));
  Advance(milliseconds(499));
  EXPECT_EQ(Sent(&session), Numbers());
}

TEST_F(SessionTest, ADuplicateIsAcknowledgedAgain) {
  Session session = Connected();
  ASSERT_TRUE(session.Receive(1, 0, 10, now_).ok());
  Advance(milliseconds(50));
  Sent(&session);
  ASSERT_TRUE(session.Receive(1, 0, 10, now_).ok());
  Advance(milliseconds(50));
  EXPECT_EQ(Sent(&session), Numbers({0}));
}

TEST_F(SessionTest, AFrameThatNeverGetsAcrossEndsTheLink) {
  SessionLimits limits;
  limits.resumes_max = 3;
  Session session = Connected(limits);
  ASSERT_TRUE(session.Push(Text("x")).ok());
  Sent(&session);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(session.Resume(0, now_).ok());
  absl::Status status = session.Resume(0, now_);
  EXPECT_EQ(ReasonOf(status), Reason::kBadMessage);
  EXPECT_EQ(status.message(), "frame 1 did not get across on 3 connections");
}

TEST_F(SessionTest, IdleReconnectsAreNoReasonToEnd) {
  SessionLimits limits;
  limits.resumes_max = 3;
  Session session = Connected(limits);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(session.Resume(0, now_).ok());
}

}  // namespace
}  // namespace baton::control
