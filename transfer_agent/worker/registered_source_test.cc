// Sources are the agents that the registry names, and nobody else: any process that reaches the
// control port can announce any rank.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;
using ::testing::HasSubstr;
using transport::PeerId;

class Impostor : public Rooms {
 protected:
  // A process in reach says that it hosts p0_, over a link that it dialled itself or, when it
  // answers at the address of the true agent, one that was dialled.
  void Claim(uint64_t incarnation, Epoch epoch, bool dialled = false,
             const std::string& address = "10.9.9.9:7421") {
    d_.core->OnPeerUp({kPeer, address, epoch, 1, dialled});
    auto claim = std::make_shared<RemoteRank>(*d_.core->context().FindRemote(p0_.ref));
    claim->peer = kPeer;
    claim->epoch = epoch;
    claim->incarnation = Incarnation(incarnation);
    d_.core->OnAnnounce(kPeer, {claim}, world_.now);
    world_.Settle();
  }
  void ExpectARoomLands() {
    Open({1, 1});
    SendAll();
    world_.Settle();
    EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
    EXPECT_TRUE(Matches(d0_, 1, PagesOf(t_.slot, 0, kTotal), 0, kTotal));
  }

  static constexpr PeerId kPeer{77};
};

TEST_F(Impostor, OfTheSameIncarnationIsOfferedNothing) {
  Claim(1, Epoch(666));
  ExpectARoomLands();
}

TEST_F(Impostor, OfALaterIncarnationIsOfferedNothingAndEndsNoRooms) {
  Open({2, 1}, 1);
  world_.Settle();
  const shm_abi::SlotRef running = t_;
  Claim(2, Epoch(666));
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(running), RoomState::kDone) << d0_.causes[running.slot];
  ExpectARoomLands();
}

TEST_F(Impostor, WithTheTrueEpochOverALinkOfItsOwnIsOfferedNothing) {
  Claim(1, Epoch(100), /*dialled=*/false, p_.address());
  ExpectARoomLands();
}

TEST_F(Impostor, AtAnotherAddressThatWasDialledIsOfferedNothing) {
  Claim(1, Epoch(100), /*dialled=*/true);
  ExpectARoomLands();
}

// Whoever answers at the address, it is not the start that is registered.
TEST_F(Impostor, AtTheAddressIsOfferedNothingUntilItIsRegistered) {
  world_.Lose(p_);
  auto claim = std::make_shared<RemoteRank>();
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  d_.core->OnPeerUp({kPeer, p_.address(), Epoch(666), 1, /*dialled=*/true});
  claim->rank = p0_.ref;
  claim->peer = kPeer;
  claim->epoch = Epoch(666);
  claim->incarnation = Incarnation(1);
  d_.core->OnAnnounce(kPeer, {claim}, world_.now);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen) << d0_.causes[t_.slot];
  world_.Advance(std::chrono::milliseconds(kTime + 1));
  world_.Settle();
  EXPECT_EQ(d0_.reason(t_), Reason::kDeadline);
  EXPECT_THAT(std::string(d0_.causes[t_.slot].message()),
              HasSubstr("its agent at pod-0 is of another start than the registry has"));
}

// A lease ends when agent and registry cannot reach each other; the agent may be there still.
TEST_F(Impostor, OfARankThatLostItsLeaseIsOfferedNothingWhileTheTrueAgentIsThere) {
  auto view = std::make_shared<ServerView>(*d_.core->context().servers.Find("prefill-a"));
  view->addresses.erase(p0_.ref.coord);
  view->epochs.erase(p0_.ref.coord);
  d_.core->OnServer(view, world_.now);
  Claim(1, Epoch(666));
  ExpectARoomLands();
}

// Other servers' agents are dialled as well: none of them may take the rank's place.
TEST_F(Impostor, ThatIsDialledForAnotherServerIsOfferedNothingOnceTheRankLostItsLease) {
  std::vector<std::shared_ptr<const RemoteRank>> claims;
  for (const EngineRank* rank : {&p0_, &p1_}) {
    auto claim = std::make_shared<RemoteRank>(*d_.core->context().FindRemote(rank->ref));
    claim->peer = kPeer;
    claim->epoch = Epoch(666);
    claims.push_back(std::move(claim));
  }
  world_.Lose(p_);
  auto view = std::make_shared<ServerView>(*d_.core->context().servers.Find("prefill-a"));
  view->addresses.clear();
  view->epochs.clear();
  d_.core->OnServer(view, world_.now);
  d_.core->OnServer(view, world_.now);
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  d_.core->OnPeerUp({kPeer, "10.9.9.9:7421", Epoch(666), 1, /*dialled=*/true});
  d_.core->OnAnnounce(kPeer, claims, world_.now);
  world_.Settle();
  for (const v1::Frame& frame : world_.to_strangers) {
    EXPECT_NE(frame.body_case(), v1::Frame::kOffer) << frame.ShortDebugString();
  }
}

// What a room's failure says is no secret, but it must reach the true source.
TEST_F(Impostor, DoesNotKeepTheTrueSourceFromHearingOfAFailure) {
  Claim(2, Epoch(666));
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal, kTime);
  world_.Settle();
  d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, kTotal + 1, kTime);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kBadChunk) << p0_.causes[s0_.slot];
}

}  // namespace
}  // namespace baton::worker
