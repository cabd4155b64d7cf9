#include "transfer_agent/room/offer_slots.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::room {
namespace {

TEST(OfferSlots, NeverGivesTheSameNameTwiceWithinAThousandGenerations) {
  OfferSlots slots(4);
  std::set<transport::OfferId> seen;
  for (int i = 0; i < 4 * 1024; ++i) {
    auto offer = slots.Acquire();
    ASSERT_TRUE(offer.has_value());
    EXPECT_TRUE(seen.insert(*offer).second) << "use " << i;
    slots.Release(*offer);
  }
}

TEST(OfferSlots, RunsOutAndComesBack) {
  OfferSlots slots(2);
  auto first = slots.Acquire();
  auto second = slots.Acquire();
  EXPECT_FALSE(slots.Acquire().has_value());
  slots.Release(*first);
  auto again = slots.Acquire();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->slot, first->slot);
  EXPECT_NE(again->generation, first->generation);
  EXPECT_NE(again->slot, second->slot);
}

}  // namespace
}  // namespace baton::room
