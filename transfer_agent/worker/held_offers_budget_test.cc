// What targets may make a source hold before its engine has opened the rooms.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "common/reason.h"
#include "transfer_agent/worker/held_offers.h"
#include "transfer_agent/worker/testing/rooms_fixture.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {
namespace {

using shm_abi::RoomState;

constexpr PeerId kHog{1}, kOther{2}, kThird{3};
constexpr attach::AttachmentId kRank{1};

// How many offers of `bytes` the peer gets in.
size_t Fill(HeldOffers* held, PeerId peer, uint64_t bytes) {
  static RoomSerial next = 1;
  size_t n = 0;
  while (held->Add(next++, kRank, peer, bytes).ok()) ++n;
  return n;
}

TEST(PeerShares, LeaveAsMuchFreeAsTheOneWhoHoldsMostHas) {
  PeerShares shares(1000);
  auto take_all = [&](PeerId peer) {
    while (shares.MayTake(peer, 1)) shares.Take(peer, 1);
    return shares.Of(peer);
  };
  EXPECT_EQ(take_all(kHog), 500u);
  EXPECT_EQ(take_all(kOther), 250u);
  EXPECT_EQ(take_all(kThird), 125u);
  shares.Give(kHog, 500);
  EXPECT_EQ(shares.used(), 375u);
  EXPECT_TRUE(shares.MayTake(kThird, 125));
  EXPECT_FALSE(shares.MayTake(kThird, 626)) << "more than is free";
}

TEST(HeldOffers, AreBoundedByBytesAndOfNoPeerMoreThanIsFree) {
  HeldOffers held(/*offers_max=*/65536, /*bytes_max=*/64 << 20);
  // 946 offers of 250 000 tokens, a page each, took 922 MB.
  EXPECT_EQ(Fill(&held, kHog, 1 << 20), 32u);
  EXPECT_EQ(held.bytes(), 32u << 20);
  EXPECT_EQ(Fill(&held, kOther, 1 << 20), 16u) << "the second finds room";
}

TEST(HeldOffers, AreBoundedByNumberWhereTheyAreSmall) {
  HeldOffers held(/*offers_max=*/1000, /*bytes_max=*/64 << 20);
  EXPECT_EQ(Fill(&held, kHog, 1), 500u);
  absl::Status full = held.Check(kHog, 1);
  EXPECT_EQ(ReasonOf(full), Reason::kFull);
  EXPECT_TRUE(absl::StrContains(full.message(), "are 500 (0 KiB) of this target's agent")) << full;
  EXPECT_TRUE(held.Check(kOther, 1).ok());
}

TEST(HeldOffers, EndWithTheirPeerUnlessAnotherHoldsTheRoomToo) {
  HeldOffers held(1000, 64 << 20);
  ASSERT_TRUE(held.Add(10, kRank, kHog, 100).ok());
  ASSERT_TRUE(held.Add(12, kRank, kHog, 100).ok());
  ASSERT_TRUE(held.Add(12, kRank, kOther, 100).ok());
  EXPECT_EQ(held.ForgetPeer(kHog), std::vector<RoomSerial>{10});
  EXPECT_EQ(held.bytes(), 100u);
  EXPECT_EQ(held.RoomsOf(kRank), 2u);
  held.Remove(10);
  held.Remove(12);
  held.Remove(12);
  EXPECT_EQ(held.RoomsOf(kRank), 0u);
  EXPECT_EQ(held.bytes(), 0u);
}

TEST(HeldOffers, CostWhatTheirPagesDo) {
  room::TargetLeg small, large;
  large.pages.emplace_back(250000, 7);
  EXPECT_GT(HeldOffers::BytesOf(small), 1000u);
  EXPECT_GE(HeldOffers::BytesOf(large), HeldOffers::BytesOf(small) + 1000000);
}

// A pod whose prefill rank may hold little, and two decode pods.
class SmallBudget : public testing::Test {
 protected:
  static WorkerLimits Limits() {
    WorkerLimits limits;
    limits.held_offers_max = 8;
    limits.rooms_per_rank_max = 4;
    return limits;
  }
  EngineRank& Decode(const char* server) {
    return world_.AddPod().Attach(server, Role::kDecode, {1, 1, 1, 1}, {0, 0, 0, 0});
  }
  Pod& PodOf(const EngineRank& rank) {
    for (auto& pod : world_.pods) {
      if (pod->core->context().FindRank(rank.ref) != nullptr) return *pod;
    }
    ADD_FAILURE();
    return p_;
  }
  // Early offers until one is refused; their slots.
  std::vector<shm_abi::SlotRef> Flood(EngineRank& rank, uint64_t first_room) {
    std::vector<shm_abi::SlotRef> slots;
    for (uint32_t slot = 0; slot < 10; ++slot) {
      slots.push_back(
          rank.OpenReceive(slot, {first_room + slot, 1}, "prefill-a", kTotal, 0, kTime));
      world_.Settle();
    }
    return slots;
  }

  World world_{nullptr, Limits()};
  Pod& p_ = world_.AddPod();
  EngineRank& source_ = p_.Attach("prefill-a", Role::kPrefill, {1, 1, 1, 1}, {0, 0, 0, 0});
  EngineRank& hog_ = Decode("decode-hog");
  EngineRank& honest_ = Decode("decode-a");
};

// 65 536 small ones failed another decode's early offer, and the rank's own OpenSend, by FULL.
TEST_F(SmallBudget, AHogsOffersAreRefusedAndNobodyElses) {
  auto hogs = Flood(hog_, 100);
  EXPECT_EQ(hog_.state(hogs[3]), RoomState::kOffered) << hog_.causes[3];
  EXPECT_EQ(hog_.state(hogs[4]), RoomState::kFailed);
  EXPECT_EQ(hog_.reason(hogs[4]), Reason::kFull) << hog_.causes[4];
  auto early = honest_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  world_.Settle();
  EXPECT_EQ(honest_.state(early), RoomState::kOffered) << honest_.causes[0];
  // As many of its own as the rank may have open, beside those that strangers hold.
  std::vector<shm_abi::SlotRef> own;
  for (uint32_t slot = 0; slot < 5; ++slot) {
    own.push_back(source_.OpenSend(slot, {1 + slot, 1}, kTotal, kTime));
    world_.Settle();
  }
  EXPECT_EQ(source_.state(own[0]), RoomState::kOffered) << source_.causes[0];
  EXPECT_EQ(source_.state(own[3]), RoomState::kOpen) << source_.causes[3];
  EXPECT_EQ(source_.reason(own[4]), Reason::kFull) << "four of its own are open";
  source_.Send(own[0], 0, kTotal, true);
  world_.Settle();
  EXPECT_EQ(honest_.state(early), RoomState::kDone) << honest_.causes[0];
}

TEST_F(SmallBudget, HeldOffersAreCountedApartFromRooms) {
  Flood(hog_, 100);
  p_.core->Heartbeat();
  EXPECT_EQ(p_.core->metrics().held_offers.value(), 4u);
  EXPECT_GT(p_.core->metrics().held_offer_bytes.value(), 4000u);
  EXPECT_EQ(p_.core->metrics().roles[0].open_rooms.value(), 0u);
  EXPECT_EQ(p_.core->open_rooms(), 0u);
  const auto own = source_.OpenSend(0, {101, 1}, kTotal, kTime);
  world_.Settle();
  p_.core->Heartbeat();
  EXPECT_EQ(source_.state(own), RoomState::kOffered);
  EXPECT_EQ(p_.core->metrics().held_offers.value(), 3u);
  EXPECT_EQ(p_.core->metrics().roles[0].open_rooms.value(), 1u);
}

// Each worker number that an offer names costs a channel.
TEST_F(SmallBudget, AnOfferOfAnotherWorkerThanAnnouncedIsRefused) {
  const auto target = honest_.OpenReceive(0, {1, 1}, "prefill-a", kTotal, 0, kTime);
  p_.hold_bulk = true;
  world_.Settle();
  ASSERT_EQ(p_.bulk.size(), 1u);
  v1::Frame frame = p_.bulk.front().second;
  p_.bulk.clear();
  p_.hold_bulk = false;
  frame.mutable_offer()->mutable_offer()->set_worker(4711);
  p_.core->OnFrame(p_.core->context().FindRemote(honest_.ref)->peer, frame, world_.now);
  EXPECT_EQ(p_.core->context().held.rooms(), 0u);
  EXPECT_EQ(p_.core->context().channels.size(), 0u);
  EXPECT_EQ(honest_.state(target), RoomState::kOffered) << "its own is still on its way";
}

// 65 536 spare offers of peers that then left kept a prefill rank from all rooms for up to 24 h.
TEST_F(SmallBudget, SpareOffersEndWithTheirPeer) {
  Pod& pod = PodOf(hog_);
  v1::Frame frame;
  v1::Offer* offer = frame.mutable_offer();
  offer->set_spare(true);
  ToProto(source_.ref, offer->mutable_source());
  ToProto(hog_.ref, offer->mutable_target());
  offer->set_source_epoch(p_.core->context().epoch.value());
  offer->set_source_incarnation(1);
  offer->set_target_incarnation(1);
  offer->set_total_tokens(kTotal);
  offer->set_prefix_tokens(kTotal);
  offer->set_time_left_ms(86400000);
  const PeerId peer = p_.core->context().FindRemote(hog_.ref)->peer;
  for (uint64_t room = 100; room < 110; ++room) {
    offer->mutable_room()->set_id(room);
    offer->mutable_room()->set_nonce(1);
    p_.core->OnFrame(peer, frame, world_.now);
  }
  EXPECT_EQ(p_.core->context().held.rooms(), 4u);
  world_.Lose(pod);
  world_.Settle();
  EXPECT_EQ(p_.core->context().held.rooms(), 0u);
  EXPECT_EQ(p_.core->context().FindRank(source_.ref)->rooms, 0u);
  // Who opens one of them late learns why it will not be.
  const auto late = source_.OpenSend(0, {100, 1}, kTotal, kTime);
  world_.Settle();
  EXPECT_EQ(source_.reason(late), Reason::kPeerLost) << source_.causes[0];
}

}  // namespace
}  // namespace baton::worker
