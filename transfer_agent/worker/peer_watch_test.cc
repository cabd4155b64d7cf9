// What an agent says of peer servers, and that it is what a room meets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {
namespace {

using shm_abi::PeerAnswer;
using shm_abi::PeerRef;
using shm_abi::PeerState;
using shm_abi::RoomState;
using shm_abi::SlotRef;
using ::testing::HasSubstr;

class Peers : public Rooms {
 protected:
  const PeerAnswer& Ask(EngineRank& rank, const std::string& server) {
    asked_ = rank.WatchPeer(0, server);
    world_.Settle();
    return rank.peers[0];
  }
  static std::string Why(const PeerAnswer& answer) { return std::string(answer.cause.message()); }

  PeerRef asked_;
};

TEST_F(Peers, ThatAreThereReadReadyWithTheirShape) {
  const PeerAnswer& answer = Ask(d0_, "prefill-a");
  EXPECT_EQ(answer.generation, asked_.generation);
  EXPECT_EQ(answer.state, PeerState::kReady) << answer.cause;
  EXPECT_EQ(answer.server, "prefill-a");
  EXPECT_EQ(answer.dp_size, 1u);
  EXPECT_EQ(answer.incarnation, Incarnation(1));
  EXPECT_TRUE(answer.cause.ok());
}

TEST_F(Peers, ThatNobodyRegisteredReadUnknownUntilTheyCome) {
  const PeerAnswer& answer = Ask(d0_, "prefill-b");
  EXPECT_EQ(answer.state, PeerState::kUnknown);
  EXPECT_EQ(ReasonOf(answer.cause), Reason::kUnknownServer);
  EXPECT_THAT(Why(answer), HasSubstr("prefill-b"));
  p_.Attach("prefill-b", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0});
  world_.Settle();
  EXPECT_EQ(d0_.peers[0].state, PeerState::kReady) << d0_.peers[0].cause;
}

TEST_F(Peers, ThatLackARankNameItAndAreDialled) {
  p_.EngineGone(p1_);
  const PeerAnswer& answer = Ask(d0_, "prefill-a");
  EXPECT_EQ(answer.state, PeerState::kNotReady);
  EXPECT_EQ(ReasonOf(answer.cause), Reason::kNotReady);
  EXPECT_EQ(RankOf(answer.cause), p1_.ref);
  EXPECT_THAT(d_.dialled, testing::Contains(p_.address()));
  // So would a room wait.
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen);
}

TEST_F(Peers, OfAnotherIncarnationThanTheRegistrysAreNotReady) {
  auto view = std::make_shared<ServerView>(*d_.core->context().servers.Find("prefill-a"));
  view->incarnation = Incarnation(2);
  d_.core->OnServer(view, world_.now);
  const PeerAnswer& answer = Ask(d0_, "prefill-a");
  EXPECT_EQ(answer.state, PeerState::kNotReady);
  EXPECT_THAT(Why(answer), HasSubstr("incarnation 1, the registry has 2"));
}

TEST_F(Peers, WhoseAgentIsLostAreNotReadyAnyMore) {
  EXPECT_EQ(Ask(d0_, "prefill-a").state, PeerState::kReady);
  world_.Lose(p_);
  EXPECT_EQ(d0_.peers[0].state, PeerState::kNotReady);
  EXPECT_THAT(Why(d0_.peers[0]), HasSubstr("2 of 2 ranks are missing"));
}

TEST_F(Peers, ThatDoNotFitSayTheFieldAsARoomWould) {
  auto view = std::make_shared<ServerView>(*d_.core->context().servers.Find("prefill-a"));
  view->spec.tensors[0].heads = 8;
  d_.core->OnServer(view, world_.now);
  const PeerAnswer& answer = Ask(d0_, "prefill-a");
  EXPECT_EQ(answer.state, PeerState::kIncompatible);
  EXPECT_EQ(ReasonOf(answer.cause), Reason::kIncompatible);
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(Why(answer), d0_.causes[0].message());
}

TEST_F(Peers, WithoutATransportInCommonAreIncompatible) {
  p_.announced[0].clear_transports();
  p_.announced[0].add_transports("pigeon");
  // Announced so by its agent.
  std::vector<std::shared_ptr<const RemoteRank>> ranks;
  for (const RankRef& ref : {p0_.ref, p1_.ref}) {
    auto rank = std::make_shared<RemoteRank>(*d_.core->context().FindRemote(ref));
    rank->transports = {"pigeon"};
    ranks.push_back(rank);
  }
  d_.core->OnAnnounce(ranks[0]->peer, ranks, world_.now);
  const PeerAnswer& answer = Ask(d0_, "prefill-a");
  EXPECT_EQ(answer.state, PeerState::kIncompatible);
  EXPECT_EQ(ReasonOf(answer.cause), Reason::kNoTransport);
}

TEST_F(Peers, OfTheSameRoleAreIncompatible) {
  EXPECT_EQ(Ask(d0_, "decode-a").state, PeerState::kIncompatible);
  EXPECT_EQ(Ask(p0_, "prefill-a").state, PeerState::kIncompatible);
}

TEST_F(Peers, ADecodeServerIsReadyForAPrefillRankOnceAllItsRanksAreRegistered) {
  EXPECT_EQ(Ask(p0_, "decode-a").state, PeerState::kReady);
  d_.Attach("decode-b", Role::kDecode, {1, 1, 1, 2}, {0, 0, 0, 0});
  const PeerAnswer& answer = Ask(p0_, "decode-b");
  EXPECT_EQ(answer.state, PeerState::kNotReady);
  EXPECT_THAT(Why(answer), HasSubstr("only 1 of 2"));
}

TEST_F(Peers, AreNotReadyWhileTheAskingRankItselfMayNotOpenRooms) {
  d_.core->OnNotAccepting(d0_.ref, Error(Reason::kSpecMismatch, "another spec", d0_.ref));
  const PeerAnswer& answer = Ask(d0_, "prefill-a");
  EXPECT_EQ(answer.state, PeerState::kNotReady);
  EXPECT_EQ(ReasonOf(answer.cause), Reason::kSpecMismatch);
  d_.core->OnRegistered(d0_.ref, Incarnation(1), world_.now);
  EXPECT_EQ(d0_.peers[0].state, PeerState::kReady);
}

TEST_F(Peers, ThatDrainSaySoAndStayReady) {
  auto view = std::make_shared<ServerView>(*d_.core->context().servers.Find("prefill-a"));
  view->draining = true;
  d_.core->OnServer(view, world_.now);
  EXPECT_EQ(Ask(d0_, "prefill-a").state, PeerState::kReady);
  EXPECT_TRUE(d0_.peers[0].draining);
}

TEST_F(Peers, ThatAreForgottenAreSpokenOfNoMore) {
  EXPECT_EQ(Ask(d0_, "prefill-a").state, PeerState::kReady);
  // A forgetting that comes after the row was used again is not meant for the new question.
  const PeerRef old = asked_;
  EXPECT_EQ(Ask(d0_, "prefill-a").state, PeerState::kReady);
  d0_.ForgetPeer(old);
  world_.Settle();
  world_.Lose(p_);
  EXPECT_EQ(d0_.peers[0].state, PeerState::kNotReady);
  d0_.ForgetPeer(asked_);
  world_.Settle();
  d_.core->OnServerRemoved("prefill-a");
  EXPECT_EQ(d0_.peers[0].state, PeerState::kNotReady) << "nothing was written after the end";
}

TEST_F(Peers, OutsideTheTableEndTheEngine) {
  d0_.WatchPeer(EngineRank::kPeers, "prefill-a");
  world_.Settle();
  EXPECT_EQ(d_.detached.size(), 1u);
}

TEST_F(Peers, AreFoundByAnAliasOnceItIsRegistered) {
  EXPECT_EQ(Ask(d0_, "10.0.0.1:8998").state, PeerState::kUnknown);
  p_.aliases["prefill-a"] = {"10.0.0.1:8998"};
  world_.TellServers();
  EXPECT_EQ(d0_.peers[0].state, PeerState::kReady) << d0_.peers[0].cause;
  EXPECT_EQ(d0_.peers[0].server, "prefill-a");
  d_.core->OnServerRemoved("prefill-a");
  EXPECT_EQ(d0_.peers[0].state, PeerState::kUnknown);
  EXPECT_EQ(d0_.peers[0].server, "");
}

TEST_F(Peers, RoomsOfAnAliasWaitForItAndLand) {
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal, kTime);
  s1_ = p1_.OpenSend(0, {1, 1}, kTotal, kTime);
  t_ = d0_.OpenReceive(0, {1, 1}, "router-name", kTotal, 0, kTime);
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOpen);
  p_.aliases["prefill-a"] = {"router-name"};
  world_.TellServers();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[0];
}

TEST_F(Peers, RoomsOfAnAliasAreLookedUpUnderTheServersOwnName) {
  p_.aliases["prefill-c"] = {"router-name"};
  EngineRank& c0 = p_.Attach("prefill-c", Role::kPrefill, {2, 1, 1, 1}, {0, 0, 0, 0});
  EngineRank& c1 = p_.Attach("prefill-c", Role::kPrefill, {2, 1, 1, 1}, {1, 0, 0, 0});
  SlotRef sent = c1.OpenSend(0, {1, 1}, kTotal, kTime);
  c1.Send(sent, 0, kTotal, true);
  world_.Settle();  // binds the room to dp rank 1
  t_ = d0_.OpenReceive(0, {1, 1}, "router-name", kTotal, 0, kTime);
  std::get<shm_abi::OpenReceive>(d0_.ring.back()).prefill_dp.reset();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[0];
  EXPECT_EQ(c0.words[0].generation, 0u);
}

TEST_F(Peers, AFailureBeforeAnyOfferReachesTheSourcesOfAnAlias) {
  p_.aliases["prefill-a"] = {"router-name"};
  world_.TellServers();
  p_.EngineGone(p1_);  // one source is missing: nothing can be offered
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal, kTime);
  t_ = d0_.OpenReceive(0, {1, 1}, "router-name", kTotal, 0, kTime);
  world_.Settle();
  d0_.Abort(t_);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kAborted);
}

}  // namespace
}  // namespace baton::worker
