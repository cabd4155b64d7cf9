#include "tests/demo/runner/route_source.h"

#include <gtest/gtest.h>

#include "common/reason.h"

namespace baton::demo {
namespace {

TEST(ParseRoute, ReadsBothLegs) {
  auto route = ParseRoute("18446744073709551615 7 prefill-a 3 decode-b 1");
  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->room, (RoomKey{UINT64_MAX, 7}));
  EXPECT_EQ(route->prefill, "prefill-a");
  EXPECT_EQ(route->prefill_dp, 3u);
  EXPECT_EQ(route->decode, "decode-b");
  EXPECT_EQ(route->decode_dp, 1u);
}

TEST(ParseRoute, AnErrorKeepsItsWords) {
  EXPECT_EQ(ParseRoute("error no server is ready").status().message(), "no server is ready");
}

TEST(ParseRoute, RefusesWhatIsNoRoute) {
  for (const char* line :
       {"", "1 2 p 3 d", "1 2 p 3 d x", "-1 2 p 3 d 4", "1 2  3 d 4", "1 2 p 3 d 4 5"}) {
    EXPECT_EQ(ReasonOf(ParseRoute(line).status()), Reason::kBadMessage) << line;
  }
}

}  // namespace
}  // namespace baton::demo
