// Rooms over the verbs transport whose rails break: they go on over another rail, or fail with a
// cause, and nothing lands in pages that were released. The wire is fake: what a broken queue pair
// had posted lands later, if anything still takes it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"
#include "transfer_agent/worker/testing/world.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using transport::verbs::FakeNet;
using transport::verbs::VerbsOptions;
using transport::verbs::VerbsTransport;

constexpr uint64_t kTotal = 100;
constexpr uint32_t kTime = 100000;  // ms

class VerbsRooms : public testing::Test {
 protected:
  VerbsRooms()
      : world_([this] { return Make(); }),
        p_(world_.AddPod()),
        d_(world_.AddPod()),
        p0_(p_.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0})),
        d0_(d_.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0})) {}

  std::unique_ptr<transport::Transport> Make() {
    if (net_.QpNumbers().empty() && !made_) {
      net_.AddDevice({.name = "fake0", .port = {}});
      net_.AddDevice({.name = "fake1", .port = {}});
      made_ = true;
    }
    VerbsOptions options;
    options.gather_max = 1;
    return VerbsTransport::Create(net_.NewProvider(), options).value();
  }

  bool Drive(const std::function<bool()>& condition) {
    for (int i = 0; i < 20000; ++i) {
      world_.Settle();
      if (condition()) return true;
      world_.Advance(std::chrono::milliseconds(1));
    }
    return false;
  }
  void Open(uint32_t slot = 0) {
    const RoomKey key{slot + 1, 1};
    pages_ = PagesOf(slot, 0, kTotal);
    Fill(p0_, slot + 1, pages_, 0, kTotal);
    s_ = p0_.OpenSend(slot, key, kTotal, kTime);
    t_ = d0_.OpenReceive(slot, key, "prefill-a", kTotal, 0, kTime);
  }
  // Opens a room, sends it, and stops the wire when some of it has landed.
  void StopInMidRoom() {
    net_.set_work_per_poll(1);
    Open();
    ASSERT_TRUE(Drive([&] { return d0_.state(t_) == RoomState::kOffered; }));
    const uint64_t before = net_.writes();
    p0_.Send(s_, 0, kTotal, true);
    ASSERT_TRUE(Drive([&] { return net_.writes() > before + 2 && !net_.Sending().empty(); }));
    ASSERT_EQ(d0_.state(t_), RoomState::kOffered);
    net_.set_work_per_poll(0);
  }
  void BreakWhatSends() {
    const auto sending = net_.Sending();
    ASSERT_FALSE(sending.empty());
    net_.BreakQp(sending.front());
  }
  void ExpectLanded() {
    net_.set_work_per_poll(8);
    EXPECT_TRUE(Drive([&] { return p0_.state(s_) == RoomState::kDone; })) << p0_.causes[s_.slot];
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    EXPECT_TRUE(Matches(d0_, t_.slot + 1, pages_, 0, kTotal));
  }

  FakeNet net_;
  bool made_ = false;
  World world_;
  Pod& p_;
  Pod& d_;
  EngineRank& p0_;
  EngineRank& d0_;
  std::vector<int32_t> pages_;
  shm_abi::SlotRef s_, t_;
};

TEST_F(VerbsRooms, GoOnOverAnotherChannelWhenAQueuePairBreaksInMidRoom) {
  StopInMidRoom();
  BreakWhatSends();
  ExpectLanded();
  // What was under way over the first channel finds nobody.
  Fill(d0_, 99, pages_, 0, kTotal);
  EXPECT_EQ(net_.LandGhosts(), 0);
  EXPECT_TRUE(Matches(d0_, 99, pages_, 0, kTotal));
}

TEST_F(VerbsRooms, GoOnOverTheOtherRailWhenAPortGoesDownInMidRoom) {
  StopInMidRoom();
  net_.SetPortActive("fake0", false);
  ExpectLanded();
  net_.SetPortActive("fake0", true);
}

TEST_F(VerbsRooms, SendNothingAgainBeforeTheTargetHasEndedTheBrokenChannel) {
  StopInMidRoom();
  d_.hold_urgent = true;  // the word of it does not arrive
  BreakWhatSends();
  world_.Settle();
  net_.set_work_per_poll(8);
  const uint64_t before = net_.writes();
  for (int i = 0; i < 100; ++i) {
    world_.Settle();
    world_.Advance(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(net_.writes(), before);
  EXPECT_FALSE(d_.urgent.empty());
  d_.hold_urgent = false;
  ExpectLanded();
}

TEST_F(VerbsRooms, ReleaseNoPagesWhileABrokenChannelMayStillWriteThem) {
  StopInMidRoom();
  BreakWhatSends();
  // The source learns of it and of the fence; what it says of the channel is held up.
  world_.Settle();
  d_.hold_urgent = true;
  d0_.Abort(t_);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kFailed);
  for (const auto& [from, frame] : d_.urgent) {
    EXPECT_NE(frame.body_case(), v1::Frame::kFenced) << "answered while writes are under way";
  }
  EXPECT_FALSE(d0_.released(t_));
  d_.hold_urgent = false;
  net_.set_work_per_poll(8);
  ASSERT_TRUE(Drive([&] { return d0_.released(t_); }));
  Fill(d0_, 99, pages_, 0, kTotal);
  net_.LandGhosts();
  EXPECT_TRUE(Matches(d0_, 99, pages_, 0, kTotal));
}

TEST_F(VerbsRooms, AnswerAFenceOnlyWhenNothingOfABrokenChannelIsInDoubt) {
  StopInMidRoom();
  BreakWhatSends();
  d0_.Abort(t_);
  ASSERT_TRUE(Drive([&] { return d0_.released(t_); }));
  Fill(d0_, 99, pages_, 0, kTotal);
  EXPECT_EQ(net_.LandGhosts(), 0);
  EXPECT_TRUE(Matches(d0_, 99, pages_, 0, kTotal));
  EXPECT_TRUE(p0_.released(s_));
}

TEST_F(VerbsRooms, FailWithTheCauseAfterEveryChannelFailed) {
  StopInMidRoom();
  net_.faults().fail = 1000;
  net_.set_work_per_poll(8);
  ASSERT_TRUE(Drive([&] { return p0_.released(s_) && d0_.released(t_); }));
  net_.faults().fail = 0;
  EXPECT_EQ(p0_.reason(s_), Reason::kTransport);
  const std::string cause(d0_.causes[t_.slot].message());
  EXPECT_NE(cause.find("given up after 4"), std::string::npos) << cause;
  EXPECT_NE(cause.find("fake"), std::string::npos) << cause;
  EXPECT_NE(cause.find("check cable"), std::string::npos) << cause;
  Open(1);
  p0_.Send(s_, 0, kTotal, true);
  ExpectLanded();
}

TEST_F(VerbsRooms, FailTheRoomThatAsksForMemoryThatIsGoneAndMoveNoOther) {
  StopInMidRoom();
  net_.faults().error = IBV_WC_REM_ACCESS_ERR;
  net_.faults().fail = 1000;
  net_.set_work_per_poll(1);
  ASSERT_TRUE(Drive([&] { return p0_.state(s_) == RoomState::kFailed; }));
  net_.faults().fail = 0;
  net_.set_work_per_poll(8);
  EXPECT_EQ(p0_.reason(s_), Reason::kTransport);
  EXPECT_NE(p0_.causes[s_.slot].message().find("registered no more"), absl::string_view::npos);
  EXPECT_TRUE(Drive([&] { return d0_.released(t_); }));
}

TEST_F(VerbsRooms, LandOnceWhenOnlyTheAcknowledgementWasLost) {
  // Everything arrives, and the queue pairs break before the source hears of it.
  net_.set_work_per_poll(8);
  Open();
  ASSERT_TRUE(Drive([&] { return d0_.state(t_) == RoomState::kOffered; }));
  p_.hold_urgent = true;
  net_.faults().drop_send = 1000;
  p0_.Send(s_, 0, kTotal, true);
  ASSERT_TRUE(Drive([&] { return d0_.state(t_) == RoomState::kDone; }));
  p_.hold_urgent = false;
  net_.faults().drop_send = 0;
  ExpectLanded();
}

TEST_F(VerbsRooms, EndWhenThePeerIsLostWhileTheyWaitForIt) {
  StopInMidRoom();
  BreakWhatSends();
  d_.hold_urgent = true;
  world_.Settle();
  world_.Lose(d_);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s_), Reason::kPeerLost);
  EXPECT_TRUE(p0_.released(s_));
}

}  // namespace
}  // namespace baton::worker
