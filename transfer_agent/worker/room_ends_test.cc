// Rooms whose other side cannot tell, or can no longer be reached, when they fail: both sides learn
// before the deadline all the same.
#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;

// The target's agent knows nothing of its source when the room fails, and hears of it later.
class Strangers : public testing::Test {
 protected:
  Strangers()
      : p_(world_.AddPod()),
        d_(world_.AddPod()),
        source_(p_.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0}, 0)),
        target_(d_.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0}, 1)) {}

  void Meet() {
    p_.core->OnRegistered(source_.ref, Incarnation(3), world_.now);
    world_.TellServers();
    world_.Settle();
  }

  World world_;
  Pod& p_;
  Pod& d_;
  EngineRank& source_;
  EngineRank& target_;
};

TEST_F(Strangers, AFailureIsToldOnceTheSourceIsKnown) {
  const SlotRef sent = source_.OpenSend(0, {5, 1}, kTotal, kTime);
  const SlotRef received = target_.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  target_.Abort(received);
  world_.Settle();
  EXPECT_TRUE(target_.released(received));
  EXPECT_EQ(source_.state(sent), RoomState::kOpen);
  Meet();
  EXPECT_EQ(source_.reason(sent), Reason::kAborted) << "it would wait for its deadline";
  EXPECT_TRUE(source_.released(sent));
}

TEST_F(Strangers, AFailureIsToldToASourceThatOpensItsRoomLater) {
  const SlotRef received = target_.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, 60000);
  target_.Abort(received);
  world_.Settle();
  Meet();
  world_.Advance(std::chrono::seconds(30));
  const SlotRef sent = source_.OpenSend(0, {5, 1}, kTotal, kTime);
  world_.Settle();
  EXPECT_EQ(source_.reason(sent), Reason::kAborted) << "remembered until the target's deadline";
}

TEST_F(Strangers, ARoomThatTheTargetRefusesFailsAtItsSource) {
  const SlotRef sent = source_.OpenSend(0, {5, 1}, kTotal, kTime);
  // A prefix that is longer than the whole.
  target_.OpenReceive(0, {5, 1}, "prefill-a", kTotal, kTotal + 1, kTime);
  world_.Settle();
  Meet();
  EXPECT_EQ(source_.reason(sent), Reason::kBadChunk);
}

TEST_F(Strangers, ARefusedIdThatIsInUseLeavesTheRoomThatHasItAlone) {
  Meet();
  const SlotRef sent = source_.OpenSend(0, {5, 1}, kTotal, kTime);
  const SlotRef received = target_.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, kTime);
  const SlotRef again = target_.OpenReceive(1, {5, 1}, "prefill-a", kTotal, 0, kTime);
  source_.Send(sent, 0, kTotal, true);
  world_.Settle();
  EXPECT_EQ(target_.reason(again), Reason::kRoomInUse);
  EXPECT_EQ(target_.state(received), RoomState::kDone);
  EXPECT_EQ(source_.state(sent), RoomState::kDone);
}

// Another rank of the decode group still looks up which dp rank has the room.
TEST(Lookups, EndByARoomThatHadFailedWhenItsSourceOpenedIt) {
  World world;
  Pod& p = world.AddPod();
  Pod& d = world.AddPod();
  EngineRank& source = p.Attach("prefill-a", Role::kPrefill, {2, 1, 1, 1}, {1, 0, 0, 0});
  EngineRank& target = d.Attach("decode-a", Role::kDecode, {1, 1, 1, 2}, {0, 0, 0, 0});
  const SlotRef received = target.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, kTime);
  std::get<shm_abi::OpenReceive>(target.ring.back()).prefill_dp = 1;
  world.Settle();
  target.Abort(received);
  world.Settle();
  source.OpenSend(0, {5, 1}, kTotal, kTime);
  world.Settle();
  EXPECT_EQ((world.bindings[{"prefill-a", RoomKey{5, 1}}]), 1u);
}

TEST_F(Strangers, AFailureIsForgottenAtItsDeadline) {
  const SlotRef received = target_.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, kTime);
  target_.Abort(received);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  const SlotRef sent = source_.OpenSend(0, {5, 1}, kTotal, kTime);
  Meet();
  EXPECT_EQ(source_.state(sent), RoomState::kOpen) << "another room of that name, by now";
}

// The source has handed everything over, and it was lost on the way.
class LostOnTheWay : public Rooms {
 protected:
  LostOnTheWay() {
    Open({1, 1});
    world_.Settle();
    world_.fabric.Lose(true);
    SendAll();
  }
  void HandOver() {
    world_.Settle();
    ASSERT_EQ(p0_.state(s0_), RoomState::kOffered);
    ASSERT_EQ(d0_.state(t_), RoomState::kOffered);
  }
};

TEST_F(LostOnTheWay, RoomsEndWhenBothEndsNotice) {
  HandOver();
  world_.fabric.Cut(p_.transport.get(), d_.transport.get());
  world_.Settle();
  ExpectAllFailed(Reason::kTransport);
}

TEST_F(LostOnTheWay, RoomsEndWhenOnlyTheTargetNotices) {
  HandOver();
  world_.fabric.CutEnd(d_.transport.get());
  world_.Settle();
  ExpectAllFailed(Reason::kTransport);
}

TEST_F(LostOnTheWay, RoomsEndWhenOnlyTheSourceNotices) {
  HandOver();
  world_.fabric.CutEnd(p_.transport.get());
  world_.Settle();
  ExpectAllFailed(Reason::kTransport);
}

TEST_F(LostOnTheWay, RoomsEndWhenTheSourcesWordComesAfterTheLoss) {
  d_.hold_bulk = true;
  world_.Settle();
  world_.fabric.CutEnd(d_.transport.get());
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered) << "it has not heard yet that all was sent";
  d_.hold_bulk = false;
  world_.Settle();
  ExpectAllFailed(Reason::kTransport);
}

TEST_F(Rooms, ThatHaveLandedAreLeftAloneByTheLossOfTheirChannel) {
  Open({1, 1});
  SendAll();
  world_.Settle();
  world_.fabric.CutEnd(d_.transport.get());
  world_.fabric.CutEnd(p_.transport.get());
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone);
  EXPECT_EQ(p0_.state(s0_), RoomState::kDone);
}

TEST_F(Rooms, OverANewChannelAreLeftAloneByTheLateLossOfTheOldOne) {
  Open({1, 1});
  SendAll();
  world_.Settle();
  // The source notices first, and opens another for the next room.
  world_.fabric.CutEnd(p_.transport.get());
  world_.Settle();
  world_.fabric.Hold(true);
  Open({2, 1}, 1);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered);
  v1::Frame frame;
  v1::ChannelLost* lost = frame.mutable_channel_lost();
  lost->set_channel(1);
  lost->set_transport("fake");
  d_.core->OnFrame(d_.core->context().FindRemote(p0_.ref)->peer, frame, world_.now);
  world_.fabric.Hold(false);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
}

}  // namespace
}  // namespace baton::worker
