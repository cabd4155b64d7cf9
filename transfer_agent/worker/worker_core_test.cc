// Rooms from end to end over queues that the test delivers: what must hold, in every order.
#include "transfer_agent/worker/worker_core.h"

#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;

TEST_F(Rooms, LandWithEveryByteWhicheverSideComesFirst) {
  for (int order = 0; order < 2; ++order) {
    const RoomKey key{40u + order, 1};
    if (order == 0) {
      s0_ = p0_.OpenSend(order, key, kTotal, kTime);
      s1_ = p1_.OpenSend(order, key, kTotal, kTime);
      SendAll();
      world_.Settle();
      t_ = d0_.OpenReceive(order, key, "prefill-a", kTotal, 0, kTime);
    } else {
      t_ = d0_.OpenReceive(order, key, "prefill-a", kTotal, 0, kTime);
      world_.Settle();
      EXPECT_EQ(d0_.state(t_), RoomState::kOffered);
      s0_ = p0_.OpenSend(order, key, kTotal, kTime);
      s1_ = p1_.OpenSend(order, key, kTotal, kTime);
      SendAll();
    }
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    EXPECT_EQ(p0_.state(s0_), RoomState::kDone);
    EXPECT_EQ(p1_.state(s1_), RoomState::kDone);
    EXPECT_TRUE(Matches(d0_, key.id, PagesOf(order, 0, kTotal), 0, kTotal));
    CloseAll();
  }
  ExpectNothingLeft();
}

TEST_F(Rooms, LandedMeansAllSourcesNotTheFirst) {
  Open({7, 1});
  p0_.Send(s0_, 0, kTotal, true);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered);
  EXPECT_EQ(p0_.state(s0_), RoomState::kOffered);
  p1_.Send(s1_, 0, kTotal, true);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone);
  EXPECT_EQ(p0_.state(s0_), RoomState::kDone);
}

TEST_F(Rooms, MoveOnlyWhatTheTargetLacksAndTellTheSourceItsPrefix) {
  const RoomKey key{8, 1};
  s0_ = p0_.OpenSend(0, key, kTotal, kTime);
  s1_ = p1_.OpenSend(0, key, kTotal, kTime);
  t_ = d0_.OpenReceive(0, key, "prefill-a", kTotal, 10, kTime);
  world_.Settle();
  EXPECT_EQ(p0_.state(s0_), RoomState::kOffered);
  EXPECT_EQ(p0_.prefixes[s0_.slot], 10u);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
  EXPECT_TRUE(Matches(d0_, key.id, PagesOf(0, 10, kTotal), 10, kTotal));
  EXPECT_FALSE(Matches(d0_, key.id, PagesOf(0, 8, kTotal), 8, kTotal));
}

TEST_F(Rooms, MoveInChunksWithAnEmptyLast) {
  Open({9, 1});
  for (auto [rank, slot] : {std::make_pair(&p0_, s0_), {&p1_, s1_}}) {
    rank->Send(slot, 0, 8, false);
    rank->Send(slot, 8, kTotal, false);
  }
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered);
  p0_.Send(s0_, kTotal, kTotal, true);
  p1_.Send(s1_, kTotal, kTotal, true);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
  EXPECT_TRUE(Matches(d0_, 9, PagesOf(0, 0, kTotal), 0, kTotal));
}

TEST_F(Rooms, ThatAreNeverOfferedFailAtTheirDeadline) {
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal, kTime);
  p0_.Send(s0_, 0, kTotal, true);
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  world_.Settle();
  EXPECT_EQ(p0_.state(s0_), RoomState::kFailed);
  EXPECT_EQ(p0_.reason(s0_), Reason::kDeadline);
  EXPECT_TRUE(p0_.released(s0_));
}

TEST_F(Rooms, ThatAreNeverSentFailOnBothSidesAtTheirDeadline) {
  Open({1, 1});
  world_.Settle();
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  world_.Settle();
  ExpectAllFailed(Reason::kDeadline);
  CloseAll();
  ExpectNothingLeft();
}

TEST_F(Rooms, WhoseEngineNeverOpensThemFailAtTheTargetAndAreForgottenAtTheSource) {
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(p_.core->context().held.rooms(), 2u);
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  world_.Settle();
  EXPECT_EQ(p_.core->context().held.rooms(), 0u);
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline);
  d0_.Close(t_);
  world_.Settle();
  ExpectNothingLeft();
}

TEST_F(Rooms, WhoseTotalsDifferFailOnBothSides) {
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal + 1, kTime);
  s1_ = p1_.OpenSend(0, {1, 1}, kTotal, kTime);
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  ExpectAllFailed(Reason::kTotalsDiffer);
}

TEST_F(Rooms, AbortedByAnySideFailOnAll) {
  for (int who = 0; who < 3; ++who) {
    Open({100u + who, 1}, who);
    world_.fabric.Hold(true);
    SendAll();
    world_.Settle();
    if (who == 0) p0_.Abort(s0_);
    if (who == 1) p1_.Abort(s1_);
    if (who == 2) d0_.Abort(t_);
    world_.Settle();
    ExpectAllFailed(Reason::kAborted);
    world_.fabric.Hold(false);
    world_.Settle();
    EXPECT_FALSE(Matches(d0_, 100 + who, PagesOf(who, 0, kTotal), 0, kTotal));
    CloseAll();
  }
  ExpectNothingLeft();
}

TEST_F(Rooms, WhosePeerIsLostFailOnTheSideThatLives) {
  Open({1, 1});
  world_.Settle();
  world_.Lose(d_);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kPeerLost);
  EXPECT_EQ(RankOf(p0_.causes[s0_.slot])->server, "decode-a");
  EXPECT_TRUE(p0_.released(s0_));
  world_.Lose(p_);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kPeerLost);
  EXPECT_EQ(RankOf(d0_.causes[t_.slot])->server, "prefill-a");
  EXPECT_TRUE(d0_.released(t_));
}

TEST_F(Rooms, WhoseSourceEngineDiesFailAtTheTargetAndLetGoOfThePools) {
  Open({1, 1});
  world_.Settle();
  p_.EngineGone(p0_);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kEngineLost);
  EXPECT_EQ(p1_.reason(s1_), Reason::kEngineLost);
  EXPECT_TRUE(d0_.released(t_));
  EXPECT_EQ(p_.transport->memories(), 1u);
}

TEST_F(Rooms, WhosePathIsCutFailOnBothSides) {
  Open({1, 1});
  world_.Settle();
  world_.fabric.Hold(true);
  SendAll();
  world_.Settle();
  world_.fabric.Cut(p_.transport.get(), d_.transport.get());
  world_.fabric.Hold(false);
  world_.Settle();
  ExpectAllFailed(Reason::kTransport);
}

TEST_F(Rooms, AfterACutOpenANewChannel) {
  Open({1, 1});
  SendAll();
  world_.Settle();
  world_.fabric.Cut(p_.transport.get(), d_.transport.get());
  world_.Settle();
  Open({2, 1}, 1);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
}

TEST_F(Rooms, AFailureThatOvertakesItsOfferStillReachesTheSource) {
  p_.hold_bulk = true;
  Open({1, 1});
  world_.Settle();
  d0_.Abort(t_);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kAborted);
  p_.hold_bulk = false;
  world_.Settle();
  ExpectAllFailed(Reason::kAborted);
  CloseAll();
  ExpectNothingLeft();
}

TEST_F(Rooms, OfOneIdAreRefusedWhileOneIsOpen) {
  Open({1, 0});
  SlotRef again = d0_.OpenReceive(5, {1, 0}, "prefill-a", kTotal, 0, kTime);
  SlotRef other_nonce = d0_.OpenReceive(6, {1, 9}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.reason(again), Reason::kRoomInUse);
  EXPECT_EQ(d0_.state(other_nonce), RoomState::kOffered);
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered);
  SendAll();
  world_.Settle();
  again = d0_.OpenReceive(7, {1, 0}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.reason(again), Reason::kRoomInUse) << "its engine has not closed it";
  CloseAll();
  Open({1, 0}, 8);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
}

TEST_F(Rooms, WithBadPagesAreRefusedNamingTheRank) {
  Open({1, 1});
  std::get<shm_abi::OpenReceive>(d0_.ring.back()).pages[0][1] = EngineRank::kPages;
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kBadPages) << d0_.causes[t_.slot];
  p0_.Send(s0_, 0, kTotal, true);
  std::get<shm_abi::Send>(p0_.ring.back()).pages[0].pop_back();
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kBadPages) << p0_.causes[s0_.slot];
}

TEST_F(Rooms, WhoseChunksLeaveAGapFailOnBothSides) {
  Open({1, 1});
  p0_.Send(s0_, 0, 8, true);
  p1_.Send(s1_, 0, kTotal, true);
  world_.Settle();
  ExpectAllFailed(Reason::kBadChunk);
}

TEST_F(Rooms, OnASlotOutsideTheTableDetachTheEngine) {
  p0_.Close({EngineRank::kSlots, 1});
  world_.Settle();
  ASSERT_EQ(p_.detached.size(), 1u);
  EXPECT_EQ(p_.detached[0], p0_.id);
}

TEST_F(Rooms, OfAnEngineWithABrokenRingDetachThatEngineAlone) {
  Open({1, 1});
  world_.Settle();
  p0_.ring_broken = true;
  p_.core->Poll(world_.now);
  ASSERT_EQ(p_.detached.size(), 1u);
  EXPECT_EQ(p_.detached[0], p0_.id);
  EXPECT_EQ(p1_.state(s1_), RoomState::kOffered);
}

// SameRouteBothSides: what a plan was made of is compared, never resolved again in silence.
TEST_F(Rooms, SameRouteBothSidesOrTheRoomFails) {
  p_.hold_bulk = true;
  Open({1, 1});
  world_.Settle();
  for (auto& [from, frame] : p_.bulk) {
    if (frame.has_offer()) frame.mutable_offer()->set_plan_hash(frame.offer().plan_hash() ^ 1);
  }
  p_.hold_bulk = false;
  world_.Settle();
  ExpectAllFailed(Reason::kPlanDiffers);
}

TEST_F(Rooms, SameRouteBothSidesRefusesAStalePeerByName) {
  for (int stale = 0; stale < 3; ++stale) {
    p_.hold_bulk = true;
    Open({10u + stale, 1}, stale);
    world_.Settle();
    for (auto& [from, frame] : p_.bulk) {
      if (!frame.has_offer()) continue;
      if (stale == 0) frame.mutable_offer()->set_source_incarnation(99);
      if (stale == 1) frame.mutable_offer()->set_target_incarnation(99);
      if (stale == 2) frame.mutable_offer()->set_source_epoch(99);
    }
    p_.hold_bulk = false;
    world_.Settle();
    ExpectAllFailed(stale == 2 ? Reason::kStaleEpoch : Reason::kStaleIncarnation);
  }
}

}  // namespace
}  // namespace baton::worker
