// Rooms and the registry: who is known, who is registered, who has nothing to send.
#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;

TEST_F(Rooms, OfADpRankThatOnlyTheRegistryKnowsAreLookedUp) {
  world_.bindings[{"prefill-a", RoomKey{1, 1}}] = 0;
  Open({1, 1});
  std::get<shm_abi::OpenReceive>(d0_.ring.back()).prefill_dp.reset();
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
}

TEST_F(Rooms, OfAnUnknownServerSayWhatIsMissingAtTheDeadline) {
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-b", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen);
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline);
  EXPECT_NE(d0_.causes[0].message().find("prefill-b: no such server"), absl::string_view::npos)
      << d0_.causes[0];
}

TEST_F(Rooms, OnARankWithoutItsLeaseAreRefusedWhileOpenOnesEnd) {
  Open({1, 1});
  world_.Settle();
  d_.core->OnNotAccepting(d0_.ref, Error(Reason::kNotReady, "the rank's lease has ended"));
  SlotRef refused = d0_.OpenReceive(1, {2, 1}, "prefill-a", kTotal, 0, kTime);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.reason(refused), Reason::kNotReady);
  EXPECT_EQ(d0_.state(t_), RoomState::kDone);
}

TEST(Registering, RoomsOpenedBeforeTheRegistryAnswersWaitAndLand) {
  World world;
  Pod& p = world.AddPod();
  Pod& d = world.AddPod();
  EngineRank& source = p.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0}, 0);
  EngineRank& target = d.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0}, 0);
  SlotRef sent = source.OpenSend(0, {5, 1}, kTotal, kTime);
  source.Send(sent, 0, kTotal, true);
  SlotRef received = target.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, kTime);
  world.Settle();
  EXPECT_EQ(target.state(received), RoomState::kOpen) << target.causes[0];
  EXPECT_EQ(source.state(sent), RoomState::kOpen) << source.causes[0];
  p.core->OnRegistered(source.ref, Incarnation(3), world.now);
  d.core->OnRegistered(target.ref, Incarnation(4), world.now);
  world.TellServers();
  world.Settle();
  EXPECT_EQ(target.state(received), RoomState::kDone) << target.causes[0];
  EXPECT_EQ(source.state(sent), RoomState::kDone);
}

TEST_F(Rooms, ThatFailBeforeAnyOfferFailAtTheirSources) {
  // One source is not announced: nothing can be offered yet.
  p_.EngineGone(p1_);
  world_.Settle();
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal, kTime);
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen);
  d0_.Abort(t_);
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kAborted);
  EXPECT_EQ(p0_.reason(s0_), Reason::kAborted);
  EXPECT_TRUE(p0_.released(s0_));
}

// One target of two source pods: a rank with nothing to send is told so and does not wait.
TEST(SpareRanks, AreDoneAtOnce) {
  World world;
  Pod& p = world.AddPod();
  Pod& d = world.AddPod();
  std::vector<EngineRank*> sources;
  for (uint32_t cp = 0; cp < 3; ++cp) {
    sources.push_back(&p.Attach("prefill-a", Role::kPrefill, {1, 1, 3, 1}, {0, 0, cp, 0}));
  }
  EngineRank& target = d.Attach("decode-a", Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0});
  std::vector<SlotRef> slots;
  for (EngineRank* source : sources) slots.push_back(source->OpenSend(0, {5, 1}, kTotal, kTime));
  SlotRef slot = target.OpenReceive(0, {5, 1}, "prefill-a", kTotal, 0, kTime);
  world.Settle();
  int done = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    done += sources[i]->state(slots[i]) == RoomState::kDone;
  }
  EXPECT_EQ(done, 2);
  for (size_t i = 0; i < sources.size(); ++i) sources[i]->Send(slots[i], 0, kTotal, true);
  world.Settle();
  EXPECT_EQ(target.state(slot), RoomState::kDone) << target.causes[0];
  EXPECT_TRUE(Matches(target, 5, PagesOf(0, 0, kTotal), 0, kTotal));
}

}  // namespace
}  // namespace baton::worker
