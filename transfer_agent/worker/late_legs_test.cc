// A leg that is opened when the other one has ended is told so at once, whichever ended first and
// however; and what is kept for it is bounded.
#include <gtest/gtest.h>

#include "transfer_agent/worker/ended_rooms.h"
#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;
using std::chrono::milliseconds;

constexpr RoomKey kKey{1, 1};

class LateLeg : public Rooms {
 protected:
  void Expire(uint32_t ms) {
    world_.Settle();
    world_.Advance(milliseconds(ms));
    world_.Settle();
  }
  void CloseSources() {
    p0_.Close(s0_);
    p1_.Close(s1_);
    world_.Settle();
  }
};

TEST_F(LateLeg, OfATargetIsToldWhyItsSourceEnded) {
  s0_ = p0_.OpenSend(0, kKey, kTotal, 2000);
  s1_ = p1_.OpenSend(0, kKey, kTotal, 2000);
  Expire(2000);
  EXPECT_EQ(p0_.reason(s0_), Reason::kDeadline);
  CloseSources();
  world_.Advance(milliseconds(1500));
  t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, 12000);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline) << "it waited all of its own time";
  EXPECT_TRUE(d0_.released(t_));
}

TEST_F(LateLeg, ThatIsAnnouncedIsToldWhyItsSourceEnded) {
  s0_ = p0_.OpenSend(0, kKey, kTotal, 2000);
  s1_ = p1_.OpenSend(0, kKey, kTotal, 2000);
  Expire(2000);
  CloseSources();
  world_.Advance(milliseconds(1500));
  t_ = d0_.Announce(0, kKey, "prefill-a", 12000);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline) << d0_.causes[t_.slot];
}

TEST_F(LateLeg, OfASourceIsToldWhyItsTargetEnded) {
  t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, 2000);
  Expire(2000);
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline);
  d0_.Close(t_);
  world_.Settle();
  world_.Advance(milliseconds(1500));
  s0_ = p0_.OpenSend(0, kKey, kTotal, 12000);
  s1_ = p1_.OpenSend(0, kKey, kTotal, 12000);
  world_.Settle();
  for (auto [rank, slot] : {std::make_pair(&p0_, s0_), {&p1_, s1_}}) {
    EXPECT_EQ(rank->reason(slot), Reason::kDeadline) << ToString(rank->ref);
    EXPECT_TRUE(rank->released(slot));
  }
}

TEST_F(LateLeg, OfASourceIsToldWhyItsAnnouncedTargetEnded) {
  t_ = d0_.Announce(0, kKey, "prefill-a", 2000);
  Expire(2000);
  d0_.Close(t_);
  world_.Settle();
  world_.Advance(milliseconds(1500));
  s0_ = p0_.OpenSend(0, kKey, kTotal, 12000);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kDeadline) << p0_.causes[s0_.slot];
}

TEST_F(LateLeg, ThatIsAnnouncedEndsTheOpenSourceAtItsDeadline) {
  s0_ = p0_.OpenSend(0, kKey, kTotal, 12000);
  s1_ = p1_.OpenSend(0, kKey, kTotal, 12000);
  t_ = d0_.Announce(0, kKey, "prefill-a", 2000);
  Expire(2000);
  ExpectAllFailed(Reason::kDeadline);
}

// The target looked for a server that came only when its room had ended.
TEST(LateServer, IsToldOfARoomWhoseDeadlineHasPassed) {
  World world;
  Pod& p = world.AddPod();
  Pod& d = world.AddPod();
  EngineRank& target = d.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0});
  const SlotRef t = target.OpenReceive(0, kKey, "prefill-a", kTotal, 0, 2000);
  world.Settle();
  world.Advance(milliseconds(2000));
  world.Settle();
  EXPECT_EQ(target.reason(t), Reason::kDeadline);
  target.Close(t);
  EngineRank& source = p.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0});
  world.Settle();
  world.Advance(milliseconds(1500));
  const SlotRef s = source.OpenSend(0, kKey, kTotal, 12000);
  world.Settle();
  EXPECT_EQ(source.reason(s), Reason::kDeadline) << source.causes[0];
}

// The other direction of "a room that the target refuses is told".
TEST_F(LateLeg, OfATargetIsToldThatItsSourceWasRefused) {
  for (bool offer_first : {true, false}) {
    const RoomKey key{1, offer_first ? 1u : 2u};
    const uint32_t slot = offer_first ? 0 : 1;
    if (offer_first) t_ = d0_.OpenReceive(slot, key, "prefill-a", kTotal, 0, kTime);
    world_.Settle();
    s0_ = p0_.OpenSend(slot, key, kTotal, 25 * 3600 * 1000);  // above a day
    world_.Settle();
    EXPECT_EQ(p0_.reason(s0_), Reason::kTooLarge);
    if (!offer_first) t_ = d0_.OpenReceive(slot, key, "prefill-a", kTotal, 0, kTime);
    world_.Settle();
    EXPECT_EQ(d0_.reason(t_), Reason::kTooLarge) << "it waited for its deadline";
    p0_.Close(s0_);
    d0_.Close(t_);
    world_.Settle();
  }
  ExpectNothingLeft();
}

TEST_F(LateLeg, IsTakenForAnotherRoomOnceAllOfTheTimeHasPassedAgain) {
  s0_ = p0_.OpenSend(0, kKey, kTotal, 20000);
  s1_ = p1_.OpenSend(0, kKey, kTotal, 20000);
  Expire(20000);
  CloseSources();
  world_.Advance(milliseconds(20001));
  t_ = d0_.OpenReceive(0, kKey, "prefill-a", kTotal, 0, 1000);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered) << d0_.causes[t_.slot];
}

class EndedRoomsTest : public testing::Test {
 protected:
  static room::EndedUse Failed(size_t words = 40) {
    return {Error(Reason::kAborted, std::string(words, 'x')), {}, true, {}};
  }
  const attach::AttachmentId rank_{1};
  const TimePoint start_ = TimePoint() + std::chrono::hours(1);
};

TEST_F(EndedRoomsTest, AreForgottenAtTheirTime) {
  EndedRooms ended;
  ended.Add(rank_, {1, 1}, Failed(), start_ + milliseconds(10), start_);
  ended.Add(rank_, {2, 1}, Failed(), start_ + milliseconds(20), start_);
  EXPECT_NE(ended.Find(rank_, {1, 1}, start_ + milliseconds(9)), nullptr);
  EXPECT_EQ(ended.Find(rank_, {1, 1}, start_ + milliseconds(10)), nullptr);
  EXPECT_NE(ended.Find(rank_, {2, 1}, start_ + milliseconds(10)), nullptr);
  EXPECT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended.Find(rank_, {1, 1}, start_ + milliseconds(30)), nullptr);
  EXPECT_EQ(ended.size(), 0u) << "nothing of them stays";
  EXPECT_EQ(ended.bytes(), 0u);
}

TEST_F(EndedRoomsTest, AreBoundedByBytesOldestFirst) {
  EndedRooms ended(4000);
  for (uint64_t id = 0; id < 100; ++id) {
    ended.Add(rank_, {id, 1}, Failed(), start_ + std::chrono::hours(24), start_);
  }
  EXPECT_LE(ended.bytes(), 4000u);
  EXPECT_GE(ended.size(), 5u);
  EXPECT_EQ(ended.Find(rank_, {0, 1}, start_), nullptr);
  EXPECT_NE(ended.Find(rank_, {99, 1}, start_), nullptr);
  // One that is larger than all of the budget leaves nothing behind.
  ended.Add(rank_, {200, 1}, Failed(8000), start_ + std::chrono::hours(24), start_);
  EXPECT_EQ(ended.bytes(), 0u);
}

TEST_F(EndedRoomsTest, KeepTheLastUseOfAKey) {
  EndedRooms ended;
  ended.Add(rank_, {1, 0}, Failed(), start_ + milliseconds(10), start_);
  ended.Add(rank_, {1, 0}, {absl::OkStatus(), {}, true, {}}, start_ + milliseconds(50), start_);
  ASSERT_NE(ended.Find(rank_, {1, 0}, start_ + milliseconds(20)), nullptr);
  EXPECT_TRUE(ended.Find(rank_, {1, 0}, start_ + milliseconds(20))->outcome.ok());
  EXPECT_EQ(ended.size(), 1u);
}

}  // namespace
}  // namespace baton::worker
