#include "tests/demo/router/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::demo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::RoomReport Source(uint64_t id, uint64_t first_send, uint64_t last_send) {
  v1::RoomReport report;
  report.set_id(id);
  report.set_role(v1::ROLE_PREFILL);
  report.set_first_send_ns(first_send);
  report.set_last_send_ns(last_send);
  return report;
}

v1::RoomReport Target(uint64_t id, uint64_t landed, uint64_t bytes) {
  v1::RoomReport report;
  report.set_id(id);
  report.set_role(v1::ROLE_DECODE);
  report.set_done_ns(landed);
  report.set_bytes(bytes);
  report.set_pages(10);
  return report;
}

TEST(Tally, MeasuresARoomFromItsLastSendToItsLastLanding) {
  Tally tally;
  tally.Opened({1, 0}, 64, 4);
  EXPECT_EQ(tally.tokens_open(), 64u);
  tally.Reported(Source(1, 100, 300), "p");
  tally.Reported(Target(1, 900, 5000), "d");
  tally.Reported(Source(1, 200, 400), "p");
  EXPECT_EQ(tally.rooms_open(), 1u);
  tally.Reported(Target(1, 700, 5000), "d");
  EXPECT_EQ(tally.rooms_open(), 0u);
  EXPECT_EQ(tally.tokens_open(), 0u);
  RunResult result = tally.Close(1);
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(result.handoff_ns, ElementsAre(500));
  EXPECT_EQ(result.bytes, 10000u);
  EXPECT_EQ(result.pages, 20u);
  EXPECT_DOUBLE_EQ(result.busy_seconds, 800e-9);
}

TEST(Tally, CountsTimeInWhichSeveralRoomsMoveOnce) {
  Tally tally;
  for (uint64_t id : {1, 2, 3}) tally.Opened({id, 0}, 1, 2);
  uint64_t spans[3][2] = {{100, 300}, {200, 400}, {1000, 1100}};
  for (uint64_t id : {3, 1, 2}) {
    tally.Reported(Source(id, spans[id - 1][0], spans[id - 1][0]), "p");
    tally.Reported(Target(id, spans[id - 1][1], 1), "d");
  }
  EXPECT_DOUBLE_EQ(tally.Close(1).busy_seconds, 400e-9);
}

TEST(Tally, CountsNoTimeForARoomThatLandedBeforeItsSendByTwoClocks) {
  Tally tally;
  for (uint64_t id : {1, 2}) tally.Opened({id, 0}, 1, 2);
  tally.Reported(Source(1, 900, 950), "p");
  tally.Reported(Target(1, 100, 1), "d");
  tally.Reported(Source(2, 1000, 1000), "p");
  tally.Reported(Target(2, 1200, 1), "d");
  RunResult result = tally.Close(1);
  EXPECT_THAT(result.handoff_ns, ElementsAre(0, 200));
  EXPECT_DOUBLE_EQ(result.busy_seconds, 200e-9);
}

TEST(Tally, NamesRoomLayerPageAndByteOfAMismatch) {
  Tally tally;
  tally.Opened({42, 7}, 1, 1);
  v1::RoomReport report = Target(42, 1, 1);
  report.set_nonce(7);
  report.set_pages_bad(1);
  report.mutable_rank()->set_tp(1);
  v1::Mismatch* mismatch = report.add_mismatches();
  mismatch->set_room_id(42);
  mismatch->set_room_nonce(7);
  mismatch->set_layer(16);
  mismatch->set_kind("K");
  mismatch->set_page(17);
  mismatch->set_byte(85);
  mismatch->set_found(0x1f);
  mismatch->set_expected(0x0f);
  tally.Reported(report, "d");
  RunResult result = tally.Close(1);
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(
      result.faults,
      ElementsAre("room 42#7 layer 16 K page 17 byte 85 (token 0, head 0): found 0x1f, must "
                  "be 0x0f, at d[dp0/pp0/cp0/tp1]"));
}

TEST(Tally, FailsARoomWhenOneRankFailed) {
  Tally tally;
  tally.Opened({1, 0}, 1, 2);
  v1::RoomReport failed = Source(1, 0, 0);
  failed.set_error("PEER_LOST: gone");
  tally.Reported(failed, "p");
  tally.Reported(Target(1, 5, 100), "d");
  RunResult result = tally.Close(1);
  EXPECT_EQ(result.failed, 1u);
  EXPECT_EQ(result.bytes, 0u);
  EXPECT_THAT(result.faults[0], HasSubstr("room 1 failed at p[dp0/pp0/cp0/tp0]: PEER_LOST: gone"));
}

TEST(Tally, GivesUpOnRoomsThatAreOpen) {
  Tally tally;
  tally.Opened({1, 0}, 1, 2);
  tally.GiveUp("the run is over");
  EXPECT_EQ(tally.rooms_open(), 0u);
  EXPECT_EQ(tally.result().failed, 1u);
}

TEST(Tally, RefusesAReportOfARoomThatIsNotOpen) {
  Tally tally;
  EXPECT_FALSE(tally.Reported(Target(9, 1, 1), "d"));
  EXPECT_FALSE(tally.result().ok());
}

TEST(Tally, GivesQuantiles) {
  RunResult result;
  EXPECT_EQ(result.HandoffNs(0.5), 0u);
  for (uint64_t i = 0; i < 100; ++i) result.handoff_ns.push_back(i);
  EXPECT_EQ(result.HandoffNs(0.5), 50u);
  EXPECT_EQ(result.HandoffNs(0.99), 99u);
  EXPECT_EQ(result.HandoffNs(1), 99u);
}

}  // namespace
}  // namespace baton::demo
