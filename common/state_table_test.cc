#include "common/state_table.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

enum class Door { kOpen, kShut };
enum class DoorEvent { kPush, kPull };
absl::string_view Name(Door door) { return door == Door::kOpen ? "open" : "shut"; }
absl::string_view Name(DoorEvent on) { return on == DoorEvent::kPush ? "push" : "pull"; }

constexpr Transition<Door, DoorEvent> kRows[] = {
    {Door::kOpen, DoorEvent::kPush, Door::kShut},
    {Door::kShut, DoorEvent::kPull, Door::kOpen},
};

TEST(StateTable, AdvancesAlongItsRows) {
  StateMachine<Door, DoorEvent> door("door", kRows, Door::kShut);
  EXPECT_FALSE(door.CanAdvance(DoorEvent::kPush));
  EXPECT_EQ(door.Advance(DoorEvent::kPull), Door::kOpen);
  EXPECT_EQ(door.Advance(DoorEvent::kPush), Door::kShut);
}

TEST(StateTableDeathTest, AnEventWithoutARowEndsTheProgram) {
  StateMachine<Door, DoorEvent> door("door", kRows, Door::kShut);
  EXPECT_DEATH(door.Advance(DoorEvent::kPush), "door: no row for \\(shut, push\\)");
}

TEST(StateTable, IsDrawnRowByRow) {
  EXPECT_EQ(RenderDot("door", absl::MakeConstSpan(kRows), Door::kShut),
            "digraph door {\n  start [shape=point];\n  start -> shut;\n"
            "  open -> shut [label=\"push\"];\n  shut -> open [label=\"pull\"];\n}\n");
}

}  // namespace
}  // namespace baton
