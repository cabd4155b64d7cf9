#include "transfer_agent/room/target_room.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/reason.h"

namespace baton::room {
namespace {

TargetRoom RoomOfTwoSources() {
  shm_abi::OpenReceive request;
  request.room = {42, 7};
  request.total_tokens = 100;
  TargetRoom room(std::move(request));
  for (uint32_t pp = 0; pp < 2; ++pp) {
    SourceLeg leg;
    leg.source = {"prefill-a", {0, pp, 0, 0}};
    leg.bytes_expected = 1000;
    room.legs().push_back(leg);
  }
  return room;
}

// LandedMeansAll: nothing short of every part of every source is "all in".
TEST(LandedMeansAll, EveryOrderOfPartsAndSentsLandsExactlyAtTheLast) {
  // Events 0, 1: the part of source 0, 1. Events 2, 3: its Sent.
  std::vector<int> order = {0, 1, 2, 3};
  int orders = 0;
  do {
    TargetRoom room = RoomOfTwoSources();
    room.OffersOut();
    for (size_t i = 0; i < order.size(); ++i) {
      EXPECT_FALSE(room.AllIn()) << "after " << i << " events";
      const size_t leg = order[i] % 2;
      ASSERT_TRUE(
          (order[i] < 2 ? room.PartLanded(leg, 0, 1000) : room.Sent(leg, 1, 1000, 100)).ok());
    }
    EXPECT_TRUE(room.AllIn());
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, 24);
}

TEST(LandedMeansAll, ARepeatedPartIsASetMemberNotACount) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  ASSERT_TRUE(room.Sent(0, 0b11, 1000, 100).ok());
  ASSERT_TRUE(room.Sent(1, 0b1, 1000, 100).ok());
  ASSERT_TRUE(room.PartLanded(1, 0, 1000).ok());
  ASSERT_TRUE(room.PartLanded(0, 0, 500).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(room.PartLanded(0, 0, 500).ok());
  EXPECT_FALSE(room.AllIn());
  EXPECT_EQ(room.bytes_landed(), 1500u);
  ASSERT_TRUE(room.PartLanded(0, 1, 500).ok());
  EXPECT_TRUE(room.AllIn());
}

TEST(TargetRoom, NamesTheSourceWhoseTotalsDiffer) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  absl::Status status = room.Sent(1, 1, 1000, 99);
  EXPECT_EQ(ReasonOf(status), Reason::kTotalsDiffer);
  EXPECT_EQ(RankOf(status)->coord.pp, 1u);
}

TEST(TargetRoom, RefusesASourceWhoseChunksDoNotCoverTheRoom) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  EXPECT_EQ(ReasonOf(room.Sent(0, 1, 999, 100)), Reason::kBadChunk);
}

TEST(TargetRoom, RefusesPartsThatWereNotAnnouncedOrAreOutOfRange) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  ASSERT_TRUE(room.Sent(0, 0b1, 1000, 100).ok());
  EXPECT_EQ(ReasonOf(room.PartLanded(0, 1, 0)), Reason::kBadMessage);
  EXPECT_EQ(ReasonOf(room.PartLanded(0, 64, 0)), Reason::kBadMessage);
  ASSERT_TRUE(room.PartLanded(1, 3, 10).ok());
  EXPECT_EQ(ReasonOf(room.Sent(1, 0b1, 1000, 100)), Reason::kBadMessage);
}

TEST(TargetRoom, RefusesMoreBytesThanThePlanHas) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  EXPECT_EQ(ReasonOf(room.PartLanded(0, 0, 1001)), Reason::kBadMessage);
}

TEST(LandedMeansAll, PartsThatHadLessThanTheSourceSaysFailTheRoomInBothOrders) {
  for (bool sent_first : {true, false}) {
    TargetRoom room = RoomOfTwoSources();
    room.OffersOut();
    if (sent_first) {
      ASSERT_TRUE(room.Sent(1, 1, 1000, 100).ok());
    }
    const absl::Status status =
        sent_first ? room.PartLanded(1, 0, 500)
                   : (room.PartLanded(1, 0, 500).ok() ? room.Sent(1, 1, 1000, 100)
                                                      : absl::InternalError("too early"));
    EXPECT_EQ(ReasonOf(status), Reason::kBadChunk) << status;
    EXPECT_EQ(RankOf(status)->coord.pp, 1u);
  }
}

TEST(LandedMeansAll, WhereBytesAreNotCountedThePlansBytesBindTheSourcesWord) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  ASSERT_TRUE(room.PartLanded(0, 0, transport::kBytesUnknown).ok());
  EXPECT_EQ(ReasonOf(room.Sent(0, 1, 500, 100)), Reason::kBadChunk);
  EXPECT_TRUE(room.Sent(0, 1, 1000, 100).ok());
  EXPECT_TRUE(room.legs()[0].AllIn());
}

TEST(TargetRoom, KeepsItsFirstCauseAndIsReleasedOnlyWhenEveryLegIsFenced) {
  TargetRoom room = RoomOfTwoSources();
  room.OffersOut();
  EXPECT_TRUE(room.Fail(Error(Reason::kPeerLost, "first")));
  EXPECT_FALSE(room.Fail(Error(Reason::kDeadline, "second")));
  EXPECT_EQ(ReasonOf(room.cause()), Reason::kPeerLost);
  EXPECT_FALSE(room.AllIn());
  EXPECT_FALSE(room.AllFenced());
  room.Fenced(0);
  EXPECT_FALSE(room.AllFenced());
  room.Fenced(1);
  ASSERT_TRUE(room.AllFenced());
  room.Release();
  EXPECT_EQ(room.state(), TargetState::kFailed);
  EXPECT_FALSE(room.Fail(Error(Reason::kAborted, "late")));
}

TEST(TargetRoom, WithoutSourcesIsAllInOnceOffered) {
  shm_abi::OpenReceive request;
  TargetRoom room(std::move(request));
  EXPECT_FALSE(room.AllIn());
  room.OffersOut();
  EXPECT_TRUE(room.AllIn());
}

}  // namespace
}  // namespace baton::room
