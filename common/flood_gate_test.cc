#include "common/flood_gate.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

constexpr FloodGate::Statement kNoisy{"a.cc", 1};
constexpr FloodGate::Statement kQuiet{"a.cc", 2};

// How many of `lines` lines are printed.
uint32_t Log(FloodGate* gate, const FloodGate::Statement& statement, uint32_t lines,
             int64_t second) {
  uint32_t printed = 0;
  for (uint32_t i = 0; i < lines; ++i) {
    printed += gate->Admit(statement, 1, "line " + std::to_string(i), second) ? 1 : 0;
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
  EXPECT_EQ(held[0].severity, 1);
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

}  // namespace
}  // namespace baton
