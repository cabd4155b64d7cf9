#include "transfer_agent/room/source_room.h"

#include <gtest/gtest.h>

#include "common/reason.h"

namespace baton::room {
namespace {

const RankCoord kFirst{0, 0, 0, 0};
const RankCoord kSecond{0, 0, 0, 1};

TargetLeg LegTo(const RankCoord& coord) {
  TargetLeg leg;
  leg.target = {"decode-a", coord};
  leg.bytes_expected = 1000;
  return leg;
}

shm_abi::Send ChunkOf(uint64_t begin, uint64_t end, bool last = false) {
  shm_abi::Send send;
  send.token_begin = begin;
  send.token_end = end;
  send.last = last;
  return send;
}

TEST(SourceRoom, MatchesInBothOrdersOfArrival) {
  SourceRoom opened({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(opened.Opened(100).ok());
  ASSERT_TRUE(opened.Offered(LegTo(kFirst), {100, 10}, {kFirst}).ok());
  EXPECT_EQ(opened.state(), SourceState::kMatched);
  EXPECT_EQ(opened.tokens().prefix, 10u);

  SourceRoom held({1, 0}, SourceState::kHeld);
  ASSERT_TRUE(held.Offered(LegTo(kFirst), {100, 10}, {kFirst}).ok());
  EXPECT_EQ(held.state(), SourceState::kHeld);
  ASSERT_TRUE(held.Opened(100).ok());
  EXPECT_EQ(held.state(), SourceState::kMatched);
}

TEST(SourceRoom, TotalsThatDifferFailInBothOrders) {
  SourceRoom opened({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(opened.Opened(100).ok());
  EXPECT_EQ(ReasonOf(opened.Offered(LegTo(kFirst), {101, 0}, {kFirst}).status()),
            Reason::kTotalsDiffer);

  SourceRoom held({1, 0}, SourceState::kHeld);
  ASSERT_TRUE(held.Offered(LegTo(kFirst), {101, 0}, {kFirst}).ok());
  EXPECT_EQ(ReasonOf(held.Opened(100)), Reason::kTotalsDiffer);
}

TEST(SourceRoom, IsSentOnlyWhenEveryExpectedTargetHasOfferedAndGotAll) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(100).ok());
  auto first = room.Offered(LegTo(kFirst), {100, 0}, {kFirst, kSecond});
  ASSERT_TRUE(first.ok());
  (*first)->sent = true;
  EXPECT_FALSE(room.AllSent());
  auto second = room.Offered(LegTo(kSecond), {100, 0}, {kFirst, kSecond});
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(room.AllSent());
  (*second)->sent = true;
  ASSERT_TRUE(room.AllSent());
  room.Advance(SourceEvent::kAllSent);
  room.legs()[0].landed = true;
  EXPECT_FALSE(room.AllLanded());
  room.legs()[1].landed = true;
  EXPECT_TRUE(room.AllLanded());
}

TEST(SourceRoom, ARankWithNothingToSendDoesNotWait) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(100).ok());
  ASSERT_TRUE(room.OfferedSpare({"decode-a", kFirst}, {100, 0}).ok());
  EXPECT_TRUE(room.NothingToSend());
  EXPECT_FALSE(room.AllSent());
}

TEST(SourceRoom, RefusesARoomThatIsOfferedTwice) {
  SourceRoom room({1, 0}, SourceState::kHeld);
  ASSERT_TRUE(room.Offered(LegTo(kFirst), {100, 0}, {kFirst, kSecond}).ok());
  EXPECT_EQ(ReasonOf(room.Offered(LegTo(kFirst), {100, 0}, {kFirst, kSecond}).status()),
            Reason::kRoomInUse);
  TargetLeg elsewhere = LegTo(kSecond);
  elsewhere.target.server = "decode-b";
  EXPECT_EQ(ReasonOf(room.Offered(std::move(elsewhere), {100, 0}, {kFirst, kSecond}).status()),
            Reason::kRoomInUse);
}

TEST(SourceRoom, RefusesATargetThatItHasNothingFor) {
  SourceRoom room({1, 0}, SourceState::kHeld);
  EXPECT_EQ(ReasonOf(room.Offered(LegTo(kSecond), {100, 0}, {kFirst}).status()),
            Reason::kBadMessage);
}

TEST(SourceRoom, TakesChunksInOrderOnly) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(100).ok());
  EXPECT_FALSE(room.CheckChunk(ChunkOf(0, 101)).ok());
  EXPECT_FALSE(room.CheckChunk(ChunkOf(50, 40)).ok());
  ASSERT_TRUE(room.CheckChunk(ChunkOf(0, 64)).ok());
  room.AddChunk(ChunkOf(0, 64));
  EXPECT_EQ(ReasonOf(room.CheckChunk(ChunkOf(32, 100))), Reason::kBadChunk);
  EXPECT_EQ(ReasonOf(room.CheckChunk(ChunkOf(65, 100))), Reason::kBadChunk);
  ASSERT_TRUE(room.CheckChunk(ChunkOf(64, 100)).ok());
  room.AddChunk(ChunkOf(64, 100));
  // An empty last chunk closes the room; nothing follows it.
  ASSERT_TRUE(room.CheckChunk(ChunkOf(100, 100, true)).ok());
  room.AddChunk(ChunkOf(100, 100, true));
  EXPECT_EQ(ReasonOf(room.CheckChunk(ChunkOf(100, 100, true))), Reason::kBadChunk);
}

TEST(SourceRoom, TakesTheLayersOfOneTokenRangeOneAfterTheOther) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(100).ok());
  shm_abi::Send low = ChunkOf(0, 64);
  low.layer_end = 16;
  room.AddChunk(std::move(low));
  shm_abi::Send again = ChunkOf(0, 64);
  again.layer_begin = 8;
  EXPECT_FALSE(room.CheckChunk(again).ok());
  again.layer_begin = 16;
  EXPECT_TRUE(room.CheckChunk(again).ok());
}

TEST(SourceRoom, WithoutATotalTakesTheTargetsAndChecksTheEndOfTheLastChunk) {
  for (uint64_t end : {uint64_t{100}, uint64_t{99}}) {
    SourceRoom room({1, 0}, SourceState::kOpen);
    ASSERT_TRUE(room.Opened(std::nullopt).ok());
    EXPECT_EQ(room.total_tokens(), std::nullopt);
    ASSERT_TRUE(room.CheckChunk(ChunkOf(0, 64)).ok());
    room.AddChunk(ChunkOf(0, 64));
    ASSERT_TRUE(room.Offered(LegTo(kFirst), {100, 0}, {kFirst}).ok());
    EXPECT_EQ(ReasonOf(room.CheckChunk(ChunkOf(64, 101))), Reason::kTotalsDiffer);
    const absl::Status status = room.CheckChunk(ChunkOf(64, end, true));
    if (end != 100) {
      EXPECT_EQ(ReasonOf(status), Reason::kTotalsDiffer) << status;
      continue;
    }
    ASSERT_TRUE(status.ok()) << status;
    room.AddChunk(ChunkOf(64, end, true));
    EXPECT_EQ(room.total_tokens(), std::optional<uint64_t>(100));
  }
}

TEST(SourceRoom, WithoutATotalRefusesATargetThatExpectsAnotherThanTheLastChunkSaid) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(std::nullopt).ok());
  room.AddChunk(ChunkOf(0, 100, true));
  EXPECT_EQ(ReasonOf(room.Offered(LegTo(kFirst), {120, 0}, {kFirst}).status()),
            Reason::kTotalsDiffer);
  EXPECT_TRUE(room.Offered(LegTo(kFirst), {100, 0}, {kFirst}).ok());

  SourceRoom longer({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(longer.Opened(std::nullopt).ok());
  longer.AddChunk(ChunkOf(0, 100));
  EXPECT_EQ(ReasonOf(longer.Offered(LegTo(kFirst), {90, 0}, {kFirst}).status()),
            Reason::kTotalsDiffer);
}

TEST(SourceRoom, WithoutATotalMatchesAnOfferThatWasHeld) {
  SourceRoom room({1, 0}, SourceState::kHeld);
  ASSERT_TRUE(room.Offered(LegTo(kFirst), {100, 10}, {kFirst}).ok());
  ASSERT_TRUE(room.Opened(std::nullopt).ok());
  EXPECT_EQ(room.state(), SourceState::kMatched);
  EXPECT_EQ(room.tokens().total, 100u);
}

TEST(SourceRoom, TakesEachPageGroupsChunksInItsOwnOrder) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(100).ok());
  auto of = [](uint16_t groups, shm_abi::Send send) {
    send.page_groups = groups;
    return send;
  };
  room.AddChunk(of(1, ChunkOf(0, 64)));
  EXPECT_TRUE(room.CheckChunk(of(3, ChunkOf(64, 100))).ok()) << "group 1 may begin there";
  room.AddChunk(of(1, ChunkOf(64, 100)));
  EXPECT_FALSE(room.CheckChunk(of(1, ChunkOf(0, 100))).ok());
  ASSERT_TRUE(room.CheckChunk(of(2, ChunkOf(0, 100))).ok());
  // A target with a prefix of 10 lacks what a group that begins later leaves out.
  SourceRoom late({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(late.Opened(100).ok());
  late.AddChunk(of(1, ChunkOf(0, 64)));
  late.AddChunk(of(2, ChunkOf(16, 100)));
  EXPECT_EQ(ReasonOf(late.Offered(LegTo(kFirst), {100, 10}, {kFirst}).status()), Reason::kBadChunk);
}

TEST(SourceRoom, AFirstChunkAfterTheTargetsPrefixLeavesAGap) {
  SourceRoom known({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(known.Opened(100).ok());
  ASSERT_TRUE(known.Offered(LegTo(kFirst), {100, 10}, {kFirst}).ok());
  EXPECT_EQ(ReasonOf(known.CheckChunk(ChunkOf(16, 100))), Reason::kBadChunk);

  SourceRoom unknown({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(unknown.Opened(100).ok());
  unknown.AddChunk(ChunkOf(16, 100));
  EXPECT_EQ(ReasonOf(unknown.Offered(LegTo(kFirst), {100, 10}, {kFirst}).status()),
            Reason::kBadChunk);
}

TEST(SourceRoom, IsReleasedOnlyWhenNoSegmentIsInFlight) {
  SourceRoom room({1, 0}, SourceState::kOpen);
  ASSERT_TRUE(room.Opened(100).ok());
  auto leg = room.Offered(LegTo(kFirst), {100, 0}, {kFirst});
  ASSERT_TRUE(leg.ok());
  (*leg)->segments_in_flight = 1;
  EXPECT_TRUE(room.Fail(Error(Reason::kAborted, "asked")));
  EXPECT_FALSE(room.AllStopped());
  (*leg)->segments_in_flight = 0;
  EXPECT_TRUE(room.AllStopped());
}

}  // namespace
}  // namespace baton::room
