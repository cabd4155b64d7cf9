#include <gtest/gtest.h>

#include "bootstrap_service/registry/lease_states.h"
#include "bootstrap_service/registry/server_states.h"
#include "bootstrap_service/registry/slot_states.h"
#include "tests/support/drawing.h"

namespace baton::registry {
namespace {

TEST(RegistryStates, AreDrawnAsTheyAre) {
  EXPECT_EQ(DrawingOf("server"),
            RenderDot("server", absl::MakeConstSpan(kServerRows), ServerPhase::kNew));
  EXPECT_EQ(DrawingOf("slot"),
            RenderDot("slot", absl::MakeConstSpan(kSlotRows), SlotPhase::kEmpty));
  EXPECT_EQ(DrawingOf("lease"),
            RenderDot("lease", absl::MakeConstSpan(kLeaseRows), LeasePhase::kHeld));
}

TEST(RegistryStates, NothingLeavesAnEnd) {
  for (const ServerRow& row : kServerRows) EXPECT_NE(row.from, ServerPhase::kGone);
  for (const LeaseRow& row : kLeaseRows) EXPECT_EQ(row.from, LeasePhase::kHeld);
}

TEST(RegistryStates, OnlyASettledOrIssuedServerBecomesReady) {
  for (const ServerRow& row : kServerRows) {
    if (row.to != ServerPhase::kReady) continue;
    EXPECT_TRUE(row.on == ServerEvent::kFilled || row.on == ServerEvent::kSettledFull ||
                row.on == ServerEvent::kUndrainFull)
        << Name(row.on);
    EXPECT_NE(row.from, ServerPhase::kNew);
  }
}

}  // namespace
}  // namespace baton::registry
