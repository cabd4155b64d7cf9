#include "tests/chaos/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::chaos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr RoomKey kRoom{7, 1};
constexpr uint32_t kPrefill = 0;
constexpr uint32_t kDecode = 2;

class LedgerTest : public testing::Test {
 protected:
  void Open(bool calm) { ledger_.Opened(kRoom, {kPrefill, 1}, {kDecode, 1}, calm, now_, now_); }
  void Report(uint32_t pod, const std::string& error = "", uint64_t bad = 0) {
    demo::v1::RoomReport report;
    report.set_id(kRoom.id);
    report.set_nonce(kRoom.nonce);
    report.set_error(error);
    report.set_pages_bad(bad);
    ledger_.Reported(pod, report);
  }

  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  Ledger ledger_;
};

TEST_F(LedgerTest, ARoomIsDoneWhenBothPodsSaySo) {
  Open(true);
  Report(kPrefill);
  EXPECT_EQ(ledger_.open(), 1u);
  Report(kDecode);
  EXPECT_EQ(ledger_.open(), 0u);
  EXPECT_EQ(ledger_.counts().calm, 1u);
  EXPECT_THAT(ledger_.violations(), IsEmpty());
}

TEST_F(LedgerTest, ARoomThatNoFaultCameNearMustNotFail) {
  Open(true);
  Report(kDecode, "PEER_LOST");
  EXPECT_THAT(ledger_.violations(), ElementsAre(HasSubstr("had no fault near it")));
}

TEST_F(LedgerTest, ADisturbedRoomMayFail) {
  Open(true);
  ledger_.Disturbed(kDecode);
  Report(kDecode, "PEER_LOST");
  Report(kPrefill, "PEER_LOST");
  EXPECT_EQ(ledger_.counts().failed, 1u);
  EXPECT_THAT(ledger_.violations(), IsEmpty());
}

TEST_F(LedgerTest, ADrainExcusesOnlyRoomsThatMayNotHaveArrived) {
  Open(true);
  ledger_.Draining(kDecode, now_ + Ledger::kArrival);
  Report(kDecode, "DRAINING");
  EXPECT_THAT(ledger_.violations(), ElementsAre(HasSubstr("had no fault near it")));
  Report(kPrefill);
  Open(true);
  ledger_.Draining(kDecode, now_ + Ledger::kArrival / 2);
  Report(kDecode, "DRAINING");
  EXPECT_EQ(ledger_.violations().size(), 1u);
}

TEST_F(LedgerTest, AWrongPageIsAViolationWhateverHappened) {
  Open(false);
  Report(kDecode, "", 3);
  EXPECT_THAT(ledger_.violations(), ElementsAre(HasSubstr("3 wrong pages")));
}

TEST_F(LedgerTest, WhoLivesOwesAReportAndTheDeadDoNot) {
  Open(false);
  ledger_.Gone(kPrefill);
  ledger_.CheckOverdue(now_ + Ledger::kGrace - std::chrono::milliseconds(1));
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  ledger_.Delayed(kDecode, std::chrono::seconds(2));
  ledger_.CheckOverdue(now_ + Ledger::kGrace);
  EXPECT_THAT(ledger_.violations(), IsEmpty());
  ledger_.CheckOverdue(now_ + Ledger::kGrace + std::chrono::seconds(2));
  EXPECT_THAT(ledger_.violations(), ElementsAre(HasSubstr("pod 2 owes 1 reports")));
}

TEST_F(LedgerTest, ARoomThatHungIsAViolation) {
  Open(false);
  Report(kDecode, "the room is past its deadline and still not terminal");
  EXPECT_THAT(ledger_.violations(), ElementsAre(HasSubstr("still not terminal")));
}

}  // namespace
}  // namespace baton::chaos
