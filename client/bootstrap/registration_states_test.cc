#include "client/bootstrap/registration_states.h"

#include <gtest/gtest.h>

#include "tests/support/drawing.h"

namespace baton {
namespace {

TEST(RegistrationStates, AreDrawnAsTheyAre) {
  EXPECT_EQ(DrawingOf("registration"),
            RenderDot("registration", absl::MakeConstSpan(kRegistrationRows),
                      RegistrationPhase::kWaiting));
}

}  // namespace
}  // namespace baton
