// The drawings in docs/states/ are the tables in the code.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "transfer_agent/room/source_states.h"
#include "transfer_agent/room/target_states.h"

namespace baton::room {
namespace {

std::string Drawing(const std::string& name) {
  std::ifstream file("docs/states/" + name + ".dot");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(States, TheSourceRoomsDrawingIsCurrent) {
  EXPECT_EQ(Drawing("source_room"),
            RenderDot("source_room", absl::MakeConstSpan(kSourceRows), SourceState::kOpen));
}

TEST(States, TheTargetRoomsDrawingIsCurrent) {
  EXPECT_EQ(Drawing("target_room"),
            RenderDot("target_room", absl::MakeConstSpan(kTargetRows), TargetState::kLooking));
}

}  // namespace
}  // namespace baton::room
