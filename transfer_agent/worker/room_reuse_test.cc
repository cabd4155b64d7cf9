// A room's id used again as soon as both sides have concluded, with nothing but the id to tell the
// uses apart: neither is taken for the other, whatever arrives late.
#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;

constexpr RoomKey kKey{1, 0};

class Reuse : public Rooms {
 protected:
  void ExpectDone() {
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    EXPECT_EQ(p0_.state(s0_), RoomState::kDone) << p0_.causes[s0_.slot];
    EXPECT_EQ(p1_.state(s1_), RoomState::kDone) << p1_.causes[s1_.slot];
  }
  void AbortAndCloseSources() {
    for (auto [rank, slot] : {std::make_pair(&p0_, s0_), {&p1_, s1_}}) {
      rank->Abort(slot);
      rank->Close(slot);
    }
  }
};

TEST_F(Reuse, AtOnceAfterARoomThatWentWell) {
  for (uint32_t use = 0; use < 5; ++use) {
    Open(kKey, use);
    SendAll();
    world_.Settle();
    ExpectDone();
    CloseAll();
  }
  ExpectNothingLeft();
}

TEST_F(Reuse, AtOnceAfterARoomThatFailed) {
  for (uint32_t use = 0; use < 3; ++use) {
    Open(kKey, use);
    world_.Settle();
    d0_.Abort(t_);
    world_.Settle();
    ExpectAllFailed(Reason::kAborted);
    CloseAll();
  }
  Open(kKey, 4);
  SendAll();
  world_.Settle();
  ExpectDone();
}

TEST_F(Reuse, InTheSameBreathAsTheClose) {
  Open(kKey, 0);
  SendAll();
  world_.Settle();
  ExpectDone();
  for (auto [rank, slot] : {std::make_pair(&p0_, s0_), {&p1_, s1_}, {&d0_, t_}}) rank->Close(slot);
  Open(kKey, 1);
  SendAll();
  world_.Settle();
  ExpectDone();
}

TEST_F(Reuse, ByATargetWhoseOfferComesBeforeTheSourcesAgentHasReadTheClose) {
  for (bool failed : {false, true}) {
    Open(kKey, failed ? 3 : 0);
    if (!failed) SendAll();
    world_.Settle();
    if (failed) d0_.Abort(t_);
    world_.Settle();
    d0_.Close(t_);
    t_ = d0_.OpenReceive(failed ? 5 : 2, kKey, "prefill-a", kTotal, 0, kTime);
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kOffered) << d0_.causes[t_.slot];
    p0_.Close(s0_);
    p1_.Close(s1_);
    s0_ = p0_.OpenSend(failed ? 5 : 2, kKey, kTotal, kTime);
    s1_ = p1_.OpenSend(failed ? 5 : 2, kKey, kTotal, kTime);
    SendAll();
    world_.Settle();
    ExpectDone();
    CloseAll();
  }
  ExpectNothingLeft();
}

TEST_F(Reuse, IsNotHarmedByAFailureOfTheEarlierUseThatComesLate) {
  // Nothing can be offered, so the failure names the room alone.
  p_.EngineGone(p1_);
  world_.Settle();
  s0_ = p0_.OpenSend(0, kKey, kTotal, kTime);
  t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(50));
  p_.hold_urgent = true;
  d0_.Abort(t_);
  d0_.Close(t_);
  p0_.Abort(s0_);
  p0_.Close(s0_);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(5));
  s0_ = p0_.OpenSend(1, kKey, kTotal, kTime);
  world_.Settle();
  p_.hold_urgent = false;
  world_.Settle();
  EXPECT_EQ(p0_.state(s0_), RoomState::kOpen) << p0_.causes[1];
}

TEST_F(Reuse, IsNotHarmedByAnOfferOfTheEarlierUseThatComesAfterItsFailure) {
  p_.hold_bulk = true;
  p_.hold_urgent = true;
  Open(kKey, 0);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(50));
  AbortAndCloseSources();
  d0_.Abort(t_);
  d0_.Close(t_);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(5));
  Open(kKey, 1);
  SendAll();
  world_.Settle();
  p_.hold_urgent = false;
  world_.Settle();
  EXPECT_EQ(p0_.state(s0_), RoomState::kOpen) << p0_.causes[s0_.slot];
  p_.hold_bulk = false;
  world_.Settle();
  ExpectDone();
  CloseAll();
  ExpectNothingLeft();
}

TEST_F(Reuse, DoesNotKeepALateTargetOfAFailedRoomWaiting) {
  s0_ = p0_.OpenSend(0, kKey, kTotal, kTime);
  s1_ = p1_.OpenSend(0, kKey, kTotal, kTime);
  AbortAndCloseSources();
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(100));
  t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kAborted) << "the request has failed, not begun anew";
  EXPECT_TRUE(d0_.released(t_));
  d0_.Close(t_);
  // Now both sides have concluded.
  Open(kKey, 1);
  SendAll();
  world_.Settle();
  ExpectDone();
}

TEST_F(Reuse, AfterAFailureThatTheSourceLearntWhenItOpened) {
  t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  d0_.Abort(t_);
  world_.Settle();
  d0_.Close(t_);
  s0_ = p0_.OpenSend(0, kKey, kTotal, kTime);
  s1_ = p1_.OpenSend(0, kKey, kTotal, kTime);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kAborted);
  EXPECT_EQ(p1_.reason(s1_), Reason::kAborted);
  p0_.Close(s0_);
  p1_.Close(s1_);
  for (bool target_first : {true, false}) {
    const uint32_t slot = target_first ? 1 : 2;
    if (target_first) {
      t_ = d0_.OpenReceive(slot, kKey, "prefill-a", kTotal, 0, kTime);
      world_.Settle();
    }
    s0_ = p0_.OpenSend(slot, kKey, kTotal, kTime);
    s1_ = p1_.OpenSend(slot, kKey, kTotal, kTime);
    SendAll();
    world_.Settle();
    if (!target_first) t_ = d0_.OpenReceive(slot, kKey, "prefill-a", kTotal, 0, kTime);
    world_.Settle();
    ExpectDone();
    CloseAll();
  }
}

TEST_F(Reuse, OfASpareSourceTellsItEachTime) {
  EngineRank& c0 = p_.Attach("prefill-c", Role::kPrefill, {1, 1, 2, 1}, {0, 0, 0, 0});
  EngineRank& c1 = p_.Attach("prefill-c", Role::kPrefill, {1, 1, 2, 1}, {0, 0, 1, 0});
  for (uint32_t use = 0; use < 3; ++use) {
    const SlotRef a = c0.OpenSend(use, kKey, kTotal, kTime);
    const SlotRef b = c1.OpenSend(use, kKey, kTotal, kTime);
    const SlotRef t = d0_.OpenReceive(use, kKey, "prefill-c", kTotal, 0, kTime);
    c0.Send(a, 0, kTotal, true);
    c1.Send(b, 0, kTotal, true);
    world_.Settle();
    EXPECT_EQ(d0_.state(t), RoomState::kDone) << d0_.causes[t.slot];
    EXPECT_EQ(c0.state(a), RoomState::kDone) << c0.causes[a.slot];
    EXPECT_EQ(c1.state(b), RoomState::kDone) << c1.causes[b.slot];
    c0.Close(a);
    c1.Close(b);
    d0_.Close(t);
    world_.Settle();
  }
}

}  // namespace
}  // namespace baton::worker
