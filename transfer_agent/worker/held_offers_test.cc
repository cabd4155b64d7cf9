// Offers as they come to a source: how many wait is never miscounted, who may make them is judged
// by the link that they come over.
#include <gtest/gtest.h>

#include "client/rpc/error_detail.h"
#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;

TEST_F(Rooms, AHeldOfferWhoseTotalsDifferFromTheEnginesIsCountedDownOnce) {
  t_ = d0_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  s0_ = p0_.OpenSend(0, {1, 1}, kTotal + 1, kTime);
  world_.Settle();
  EXPECT_EQ(p0_.reason(s0_), Reason::kTotalsDiffer);
  // Counted twice, every later offer met "4294967295 offers wait for their engine".
  t_ = d0_.OpenReceive(1, {2, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kOffered) << d0_.causes[t_.slot];
}

// Agents that host both roles dial each other, and themselves: two links, two names for one peer.
TEST_F(Rooms, AreServedWhicheverOfTwoLinksAnnouncedTheTargetFirst) {
  const transport::PeerId second(50);
  auto target = std::make_shared<RemoteRank>(*p_.core->context().FindRemote(d0_.ref));
  auto renewed = std::make_shared<const RemoteRank>(*target);
  const transport::PeerId first = target->peer;
  target->peer = second;
  control::PeerInfo peer = p_.core->context().peers[first];
  peer.id = second;
  p_.core->OnPeerUp(peer);
  p_.core->OnAnnounce(second, {target}, world_.now);
  p_.core->OnAnnounce(first, {}, world_.now);
  p_.core->OnAnnounce(first, {renewed}, world_.now);
  ASSERT_EQ(p_.core->context().FindRemote(d0_.ref)->peer, second);
  Open({1, 1});
  SendAll();
  world_.Settle();
  EXPECT_EQ(d0_.state(t_), RoomState::kDone) << d0_.causes[t_.slot];
}

// What a target says that failed before it could offer names no offer; zero is another rank's
// first.
TEST_F(Rooms, AFailureBeforeAnyOfferIsNotTakenForThatOfAnotherRanksFirstOffer) {
  Open({1, 1});
  world_.Settle();
  v1::Frame frame;
  v1::Failed* failed = frame.mutable_failed();
  failed->mutable_offer()->set_worker(0);
  failed->mutable_room()->set_id(1);
  failed->mutable_room()->set_nonce(1);
  ToProto(p0_.ref, failed->mutable_source());
  ToProto({"decode-a", {0, 0, 0, 1}}, failed->mutable_target());
  *failed->mutable_cause() = ToDetail(Error(Reason::kAborted, "no more use for it"));
  p_.core->OnFrame(p_.core->context().FindRemote(d0_.ref)->peer, frame, world_.now);
  world_.Settle();
  // Its own target was believed to know, and waited for its deadline.
  ExpectAllFailed(Reason::kAborted);
}

}  // namespace
}  // namespace baton::worker
