#include "common/flood_gate.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

constexpr FloodGate::Statement kNoisy{"a.cc", 1};
constexpr FloodGate::Statement kQuiet{"a.cc", 2};
constexpr int kInfo = 0, kWarning = 1;

// How many of `lines` lines are printed.
uint32_t Log(FloodGate* gate, const FloodGate::Statement& statement, uint32_t lines, int64_t second,
             int severity = kInfo, absl::string_view text = "line ") {
  uint32_t printed = 0;
  for (uint32_t i = 0; i < lines; ++i) {
    printed += gate->Admit(statement, severity, absl::StrCat(text, i), second) ? 1 : 0;
  }
  return printed;
}

TEST(FloodGate, LetsAHundredLinesASecondOfEachStatementThrough) {
  FloodGate gate;
  EXPECT_EQ(Log(&gate, kNoisy, 250, 7), kLogLinesPerSecond);
  EXPECT_EQ(Log(&gate, kQuiet, 1, 7), 1u) << "another statement's flood is not its own";
  EXPECT_EQ(Log(&gate, kNoisy, 1, 8), 1u) << "a new second";
}

TEST(FloodGate, SaysWhatWasKeptBackOnceWhenTheSecondIsOver) {
  FloodGate gate;
  Log(&gate, kNoisy, 250, 7);
  EXPECT_TRUE(gate.TakeHeld(7).empty()) << "it goes on";
  const std::vector<FloodGate::Held> held = gate.TakeHeld(8);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].lines, 150u);
  EXPECT_EQ(held[0].last, "line 249");
  EXPECT_EQ(held[0].severity, kInfo);
  EXPECT_EQ(held[0].statement.line, kNoisy.line);
  EXPECT_TRUE(gate.TakeHeld(9).empty());
}

TEST(FloodGate, AClockThatIsSetBackLosesNoCount) {
  FloodGate gate;
  Log(&gate, kNoisy, 250, 7);
  const std::vector<FloodGate::Held> held = gate.TakeHeld(3);
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].lines, 150u);
  EXPECT_EQ(Log(&gate, kNoisy, 250, 3), kLogLinesPerSecond);
}

TEST(FloodGate, AStatementThatWasNotKeptBackHasNothingToSay) {
  FloodGate gate;
  Log(&gate, kNoisy, kLogLinesPerSecond, 7);
  EXPECT_TRUE(gate.TakeHeld(100).empty());
}

// Five statements of one failing room each had a hundred lines a second.
TEST(FloodGate, TenLinesASecondOfTroubleWhateverHowManyStatementsHaveThem) {
  FloodGate gate;
  for (int64_t second = 1; second <= 20; ++second) {
    uint32_t lines = gate.TakeHeld(second).size();
    for (int statement = 0; statement < 12; ++statement) {
      lines += Log(&gate, {"a.cc", statement}, 500, second, kWarning,
                   absl::StrCat(std::string(statement, 'x'), " failed, room "));
    }
    EXPECT_LE(lines, kTroubleLinesPerSecond) << second;
    EXPECT_GE(lines, 4u) << "the first of them are said";
  }
  uint64_t kept = 0;
  for (const FloodGate::Held& held : gate.TakeHeld(21)) kept += held.lines;
  EXPECT_LE(kept, 6000u);
  EXPECT_GE(kept, 5990u);
}

TEST(FloodGate, CountsWhatItKeptBackToTheLine) {
  FloodGate gate;
  uint64_t printed = 0, kept = 0;
  for (int64_t second = 1; second <= 5; ++second) {
    for (const FloodGate::Held& held : gate.TakeHeld(second)) kept += held.lines;
    for (int statement = 0; statement < 7; ++statement) {
      printed += Log(&gate, {"a.cc", statement}, 100, second, kWarning, "it failed ");
    }
  }
  const auto last = gate.TakeHeld(6);
  ASSERT_EQ(last.size(), 4u) << "three by themselves, and the others";
  EXPECT_EQ(last[3].statements, 4u);
  for (const FloodGate::Held& held : last) kept += held.lines;
  EXPECT_EQ(printed + kept, 5u * 7 * 100);
}

TEST(FloodGate, TheOtherCauseAmongAThousandIsSaid) {
  FloodGate gate;
  Log(&gate, kNoisy, 1000, 7, kWarning, "deadline passed, room ");
  EXPECT_TRUE(gate.Admit(kNoisy, kWarning, "the plan differs, room 3", 7));
  EXPECT_FALSE(gate.Admit(kNoisy, kWarning, "the plan differs, room 4", 7));
  EXPECT_TRUE(gate.Admit(kQuiet, kWarning, "the engine broke the ring's rules", 7));
  gate.TakeHeld(8);
  Log(&gate, kNoisy, 1000, 8, kWarning, "deadline passed, room ");
  EXPECT_FALSE(gate.Admit(kNoisy, kWarning, "the plan differs, room 5", 8)) << "said already";
  gate.TakeHeld(100);
  Log(&gate, kNoisy, 1000, 100, kWarning, "deadline passed, room ");
  EXPECT_TRUE(gate.Admit(kNoisy, kWarning, "the plan differs, room 6", 100)) << "not for a while";
}

TEST(FloodGate, TroubleTakesNothingFromInformation) {
  FloodGate gate;
  Log(&gate, kNoisy, 1000, 7, kWarning, "deadline passed, room ");
  EXPECT_EQ(Log(&gate, kQuiet, 50, 7), 50u);
}

}  // namespace
}  // namespace baton
