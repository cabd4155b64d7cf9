// Rooms that a target announces before it has pages for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;
using ::testing::HasSubstr;

constexpr RoomKey kKey{1, 0};

class Announced : public Rooms {
 protected:
  void OpenSources(uint32_t slot = 0) {
    s0_ = p0_.OpenSend(slot, kKey, kTotal, kTime);
    s1_ = p1_.OpenSend(slot, kKey, kTotal, kTime);
  }
  void AnnounceRoom(uint32_t slot = 0) {
    t_ = d0_.Announce(slot, kKey, "prefill-a", kTime);
    world_.Settle();
  }
  bool Complete() const { return d0_.words[t_.slot].source_complete; }
};

TEST_F(Announced, LandOnceTheyHaveTheirPages) {
  OpenSources();
  AnnounceRoom();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen);
  EXPECT_EQ(p0_.state(s0_), RoomState::kOpen) << "nothing is offered yet";
  d0_.Provide(t_, kTotal, 4);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered) << d0_.causes[0];
  EXPECT_EQ(p0_.prefixes[s0_.slot], 4u);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[0];
  EXPECT_EQ(p0_.state(s0_), RoomState::kDone);
  CloseAll();
  ExpectNothingLeft();
}

TEST_F(Announced, HearThatTheirSourcesAreCompleteInBothOrders) {
  for (bool announced_first : {true, false}) {
    const uint32_t slot = announced_first ? 0 : 1;
    if (announced_first) AnnounceRoom(slot);
    OpenSources(slot);
    p0_.Send(s0_, 0, kTotal, true);
    world_.Settle();
    if (!announced_first) AnnounceRoom(slot);
    EXPECT_FALSE(Complete()) << "one of two sources";
    p1_.Send(s1_, 0, kTotal, true);
    world_.Settle();
    EXPECT_TRUE(Complete());
    EXPECT_EQ(d0_.source_tokens[t_.slot], kTotal);
    EXPECT_EQ(d0_.state(t_), RoomState::kOpen);
    d0_.Provide(t_, kTotal, 0);
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    EXPECT_TRUE(Complete());
    CloseAll();
  }
}

TEST_F(Announced, FailAtOnceWithTheirSource) {
  AnnounceRoom();
  OpenSources();
  world_.Settle();
  p1_.Abort(s1_);
  world_.Settle();
  ExpectAllFailed(Reason::kAborted);
  CloseAll();
  ExpectNothingLeft();
}

TEST_F(Announced, FailAtOnceWhenTheirSourceHadFailedBefore) {
  OpenSources();
  p0_.Abort(s0_);
  world_.Settle();
  AnnounceRoom();
  EXPECT_EQ(d0_.reason(t_), Reason::kAborted) << d0_.causes[0];
}

TEST_F(Announced, FailAtOnceWhenTheSourcesEngineEndsThoughItNeverOpenedThem) {
  AnnounceRoom();
  p_.EngineGone(p0_);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kEngineLost) << d0_.causes[0];
  EXPECT_EQ(RankOf(d0_.causes[0]), p0_.ref);
  EXPECT_TRUE(d0_.released(t_));
}

TEST_F(Announced, FailAtOnceWhenTheSourcesAgentIsLost) {
  AnnounceRoom();
  world_.Lose(p_);
  EXPECT_EQ(d0_.reason(t_), Reason::kPeerLost) << d0_.causes[0];
  EXPECT_TRUE(d0_.released(t_));
}

TEST_F(Announced, ThatTheTargetGivesUpFailAtTheirSources) {
  AnnounceRoom();
  OpenSources();
  world_.Settle();
  d0_.Abort(t_);
  world_.Settle();
  ExpectAllFailed(Reason::kAborted);
}

TEST_F(Announced, WithPagesForAnotherTotalThanTheSourcesFail) {
  AnnounceRoom();
  OpenSources();
  SendAll();
  world_.Settle();
  d0_.Provide(t_, kTotal - 1, 0);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kTotalsDiffer);
  EXPECT_EQ(p0_.reason(s0_), Reason::kTotalsDiffer);
}

TEST_F(Announced, WithBadPagesFailNamingTheRank) {
  AnnounceRoom();
  d0_.Provide(t_, kTotal, 0);
  std::get<shm_abi::Provide>(d0_.ring.back()).pages[0][1] = EngineRank::kPages;
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kBadPages);
  EXPECT_EQ(RankOf(d0_.causes[0]), d0_.ref);
}

TEST_F(Announced, TakePagesOnce) {
  OpenSources();
  t_ = d0_.OpenReceive(0, kKey, "prefill-b", kTotal, 0, kTime);
  d0_.Provide(t_, kTotal, 0);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kBadMessage);
}

TEST_F(Announced, ThatNeverGetPagesSaySoAtTheDeadline) {
  AnnounceRoom();
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline);
  EXPECT_THAT(std::string(d0_.causes[0].message()), HasSubstr("given no pages"));
}

TEST_F(Announced, UseTheirIdAgainAtOnceAfterAFailureAndAfterAnEnd) {
  for (uint32_t use = 0; use < 4; ++use) {
    AnnounceRoom(use);
    OpenSources(use);
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kOpen) << d0_.causes[use];
    if (use % 2 == 0) {
      p0_.Abort(s0_);
      world_.Settle();
      ExpectAllFailed(Reason::kAborted);
    } else {
      d0_.Provide(t_, kTotal, 0);
      SendAll();
      world_.Settle();
      EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[use];
    }
    CloseAll();
  }
  ExpectNothingLeft();
}

}  // namespace
}  // namespace baton::worker
