#include "common/reason.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Reason, SurvivesTheTripThroughAStatus) {
  RankRef rank{"prefill/with/slashes", {1, 2, 3, 4}};
  absl::Status status = Error(Reason::kRoomInUse, "room 7 is open", rank);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(status), Reason::kRoomInUse);
  ASSERT_TRUE(RankOf(status).has_value());
  EXPECT_EQ(*RankOf(status), rank);
}

TEST(Reason, EveryNameLeadsBackToItself) {
#define X(enumerator, name, code, help)                                                       \
  EXPECT_EQ(ReasonFromName(#name), Reason::enumerator);                                       \
  EXPECT_EQ(ReasonFromNumber(static_cast<uint32_t>(Reason::enumerator)), Reason::enumerator); \
  EXPECT_FALSE(ReasonHelp(Reason::enumerator).empty());
  BATON_REASONS(X)
#undef X
}

TEST(Reason, OfANewerVersionIsUnknown) {
  EXPECT_EQ(ReasonFromName("INVENTED_LATER"), Reason::kUnknown);
  EXPECT_EQ(ReasonFromNumber(60000), Reason::kUnknown);
}

TEST(Reason, OfAForeignStatusIsUnknown) {
  EXPECT_EQ(ReasonOf(absl::InternalError("x")), Reason::kUnknown);
  EXPECT_FALSE(RankOf(absl::InternalError("x")).has_value());
}

}  // namespace
}  // namespace baton
