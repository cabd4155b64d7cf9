// A room has one decode group. Another that comes with the same id is refused alone: neither the
// source nor the target whose room it is pays for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/wire_ids.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;
using ::testing::HasSubstr;

constexpr RoomKey kKey{1, 1};

// P (two ranks), A = d0_, and B of another server in a pod of its own.
class Stranger : public Rooms {
 protected:
  Stranger()
      : e_(world_.AddPod()),
        b0_(e_.Attach("decode-b", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0})) {}

  void OpenSources(uint32_t slot = 0) {
    s0_ = p0_.OpenSend(slot, kKey, kTotal, kTime);
    s1_ = p1_.OpenSend(slot, kKey, kTotal, kTime);
  }
  void OpenA() {
    t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
    world_.Settle();
  }
  void OpenB(uint64_t total = kTotal, uint64_t prefix = 0) {
    b_ = b0_.OpenReceive(0, kKey, "prefill-a", total, prefix, kTime);
    world_.Settle();
  }
  // B's agent finds that its pages and the source's do not mean the same.
  void MakeBUnfit() {
    WorkerContext& context = e_.core->context();
    for (auto& [id, rank] : context.ranks) rank->attached->model = "m@r2";
    auto view = std::make_shared<ServerView>(*context.servers.Find("prefill-a"));
    view->model = "m@r1";
    e_.core->OnServer(view, world_.now);
  }
  void ExpectARefusedStrangerAndARoomThatLands() {
    EXPECT_EQ(b0_.state(b_), RoomState::kFailed);
    EXPECT_EQ(b0_.reason(b_), Reason::kRoomInUse) << b0_.causes[b_.slot];
    EXPECT_EQ(RankOf(b0_.causes[b_.slot]), b0_.ref);
    EXPECT_THAT(std::string(b0_.causes[b_.slot].message()), HasSubstr("dp rank 0 of decode-a"));
    EXPECT_TRUE(b0_.released(b_));
    ExpectTheRoomLands();
  }
  void ExpectTheRoomLands() {
    SendAll();
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    EXPECT_EQ(p0_.state(s0_), RoomState::kDone) << p0_.causes[s0_.slot];
    EXPECT_EQ(p1_.state(s1_), RoomState::kDone) << p1_.causes[s1_.slot];
    EXPECT_TRUE(Matches(d0_, kKey.id, PagesOf(t_.slot, 0, kTotal), 0, kTotal));
    b0_.Close(b_);
    CloseAll();
    ExpectNothingLeft();
    EXPECT_EQ(e_.core->open_rooms(), 0u);
  }

  Pod& e_;
  EngineRank& b0_;
  SlotRef b_;
};

TEST_F(Stranger, IsRefusedAloneWhenTheRoomIsOffered) {
  OpenSources();
  OpenA();
  OpenB();
  ExpectARefusedStrangerAndARoomThatLands();
}

TEST_F(Stranger, IsRefusedAloneWhateverTotalAndPrefixItHas) {
  OpenSources();
  OpenA();
  OpenB(kTotal + 3, 4);
  ExpectARefusedStrangerAndARoomThatLands();
}

TEST_F(Stranger, IsRefusedAloneWhenBothOffersCameBeforeTheSourceOpened) {
  OpenA();
  OpenB();
  OpenSources();
  world_.Settle();
  ExpectARefusedStrangerAndARoomThatLands();
}

TEST_F(Stranger, IsRefusedAloneInTheMiddleOfARoom) {
  OpenSources();
  OpenA();
  p0_.Send(s0_, 0, 8, false);
  p1_.Send(s1_, 0, 8, false);
  world_.Settle();
  OpenB();
  EXPECT_EQ(b0_.reason(b_), Reason::kRoomInUse) << b0_.causes[b_.slot];
  p0_.Send(s0_, 8, kTotal, true);
  p1_.Send(s1_, 8, kTotal, true);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
  EXPECT_EQ(p0_.state(s0_), RoomState::kDone) << p0_.causes[s0_.slot];
}

TEST_F(Stranger, OfAnotherLayoutFailsAlone) {
  // It never offers: its own agent sees that it does not fit, and tells the source.
  MakeBUnfit();
  OpenSources();
  OpenA();
  OpenB();
  EXPECT_EQ(b0_.reason(b_), Reason::kIncompatible) << "what is wrong with it, whoever has the room";
  ExpectTheRoomLands();
}

TEST_F(Stranger, OfAnotherLayoutFailsAloneBeforeTheSourceOpened) {
  MakeBUnfit();
  for (bool first : {false, true}) {
    if (first) OpenB();
    OpenA();
    if (!first) OpenB();
    OpenSources();
    world_.Settle();
    EXPECT_EQ(b0_.reason(b_), Reason::kIncompatible);
    b0_.Close(b_);
    SendAll();
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    CloseAll();
    world_.Advance(std::chrono::seconds(2));
  }
}

TEST_F(Stranger, ThatAbortsItsOwnRoomEndsNobodyElses) {
  OpenSources();
  OpenA();
  // Its offer is on its way when it gives up: the failure names the room.
  p_.hold_bulk = true;
  OpenB();
  b0_.Abort(b_);
  world_.Settle();
  p_.hold_bulk = false;
  world_.Settle();
  EXPECT_EQ(b0_.reason(b_), Reason::kAborted);
  ExpectTheRoomLands();
}

TEST_F(Stranger, ThatAnnouncesTheRoomIsRefusedAlone) {
  OpenSources();
  OpenA();
  b_ = b0_.Announce(0, kKey, "prefill-a", kTime);
  world_.Settle();
  ExpectARefusedStrangerAndARoomThatLands();
}

TEST_F(Stranger, IsRefusedAloneWhenTheRoomIsAnnounced) {
  t_ = d0_.Announce(0, kKey, "prefill-a", kTime);
  world_.Settle();
  OpenB();
  OpenSources();
  d0_.Provide(t_, kTotal, 0);
  world_.Settle();
  ExpectARefusedStrangerAndARoomThatLands();
}

TEST_F(Stranger, ThatComesWhenTheRoomIsDoneIsToldSoAtOnce) {
  OpenSources();
  OpenA();
  SendAll();
  world_.Settle();
  OpenB();
  EXPECT_EQ(b0_.reason(b_), Reason::kRoomInUse) << "it would wait for its deadline";
  b0_.Close(b_);
  CloseAll();
  b_ = b0_.OpenReceive(1, kKey, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(b0_.reason(b_), Reason::kRoomInUse) << b0_.causes[b_.slot];
}

TEST_F(Stranger, HasTheRoomWhenTheFirstFailedBeforeTheSourceOpened) {
  OpenA();
  d0_.Abort(t_);
  world_.Settle();
  OpenB();
  EXPECT_EQ(b0_.state(b_), RoomState::kOffered) << b0_.causes[b_.slot];
  OpenSources();
  SendAll();
  world_.Settle();
  EXPECT_EQ(b0_.state(b_), RoomState::kDone) << b0_.causes[b_.slot];
  EXPECT_EQ(p0_.state(s0_), RoomState::kDone) << p0_.causes[s0_.slot];
}

// Another agent says that it hosts the very rank whose room it is.
TEST_F(Stranger, ThatPosesAsTheTargetIsRefusedAlone) {
  OpenSources();
  OpenA();
  EngineRank& pose = e_.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0});
  b_ = pose.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(pose.reason(b_), Reason::kRoomInUse) << pose.causes[b_.slot];
  pose.Close(b_);
  ExpectTheRoomLands();
}

// Offers that cross on their way: one source rank sees A first, the other B. Each refuses the
// other's choice, so both rooms end at once, at all ranks; nobody waits for a deadline.
TEST_F(Stranger, ThatCrossesTheOtherFailsWithItAndNobodyWaits) {
  Pod& q = world_.AddPod();
  EngineRank& p2 = q.Attach("prefill-q", Role::kPrefill, {1, 1, 1, 2}, {0, 0, 0, 1});
  EngineRank& p1 = p_.Attach("prefill-q", Role::kPrefill, {1, 1, 1, 2}, {0, 0, 0, 0});
  s0_ = p1.OpenSend(0, kKey, kTotal, kTime);
  s1_ = p2.OpenSend(0, kKey, kTotal, kTime);
  q.hold_bulk = true;
  t_ = d0_.OpenReceive(0, kKey, "prefill-q", kTotal, 0, kTime);
  world_.Settle();
  b_ = b0_.OpenReceive(0, kKey, "prefill-q", kTotal, 0, kTime);
  d_.hold_urgent = e_.hold_urgent = true;  // the refusal is under way
  world_.Settle();
  std::reverse(q.bulk.begin(), q.bulk.end());
  q.hold_bulk = false;
  world_.Settle();
  d_.hold_urgent = e_.hold_urgent = false;
  world_.Settle();
  for (auto [rank, slot] : {std::make_pair(&p1, s0_), {&p2, s1_}, {&d0_, t_}, {&b0_, b_}}) {
    EXPECT_EQ(rank->state(slot), RoomState::kFailed) << ToString(rank->ref);
    EXPECT_EQ(rank->reason(slot), Reason::kRoomInUse) << rank->causes[slot.slot];
    EXPECT_TRUE(rank->released(slot)) << ToString(rank->ref);
  }
}

TEST(StrangersOfOneServer, OfAnotherDpRankAreRefusedAlone) {
  World world;
  Pod& p = world.AddPod();
  Pod& d = world.AddPod();
  EngineRank& source = p.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0});
  EngineRank& first = d.Attach("decode-a", Role::kDecode, {2, 1, 1, 1}, {0, 0, 0, 0});
  EngineRank& second = d.Attach("decode-a", Role::kDecode, {2, 1, 1, 1}, {1, 0, 0, 0});
  const SlotRef s = source.OpenSend(0, kKey, kTotal, kTime);
  const SlotRef a = first.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
  world.Settle();
  const SlotRef b = second.OpenReceive(0, kKey, "prefill-a", kTotal, 0, kTime);
  world.Settle();
  EXPECT_EQ(second.reason(b), Reason::kRoomInUse) << second.causes[0];
  source.Send(s, 0, kTotal, true);
  world.Settle();
  EXPECT_EQ(first.state(a), RoomState::kDone) << first.causes[0];
  EXPECT_EQ(source.state(s), RoomState::kDone) << source.causes[0];
}

// The number of an announced room can be guessed; only its sources speak of it.
TEST_F(Stranger, CannotEndAnAnnouncedRoomByGuessingItsNumber) {
  t_ = d0_.Announce(0, kKey, "prefill-a", kTime);
  world_.Settle();
  v1::Frame frame;
  v1::SourceState* state = frame.mutable_source_state();
  ToProto(p0_.ref, state->mutable_source());
  state->mutable_cause()->set_message("forged");
  for (uint64_t number = 0; number < 8; ++number) {
    state->mutable_offer()->set_serial(number);
    d_.core->OnFrame(transport::PeerId(2), frame, world_.now);
  }
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen) << d0_.causes[t_.slot];
}

}  // namespace
}  // namespace baton::worker
