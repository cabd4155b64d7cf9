#include "bootstrap_service/registry/rooms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap_service/registry/testing.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

using ::testing::HasSubstr;

class Rooms : public ::testing::Test {
 protected:
  static v1::BindRoomRequest BindRequest(uint64_t room, uint32_t dp, uint32_t ttl_ms = 1000) {
    v1::BindRoomRequest request;
    Add(room, request.add_bindings())->set_dp(dp);
    request.set_ttl_ms(ttl_ms);
    return request;
  }
  static v1::RoomBinding* Add(uint64_t room, v1::RoomBinding* binding) {
    binding->set_server("p");
    binding->mutable_room()->set_id(room);
    return binding;
  }
  static v1::LookupRoomRequest LookupRequest(std::initializer_list<uint64_t> rooms) {
    v1::LookupRoomRequest request;
    for (uint64_t room : rooms) Add(room, request.add_rooms());
    return request;
  }
  RoomTable::LookupResult Lookup(std::initializer_list<uint64_t> rooms, Duration wait = {}) {
    auto result = table_.Lookup(LookupRequest(rooms), now(), now() + wait);
    EXPECT_TRUE(result.ok()) << result.status();
    return *result;
  }
  TimePoint now() const { return clock_.now.time; }

  TestClock clock_;
  Limits limits_;
  RoomTable table_{limits_};
};

TEST_F(Rooms, AreFoundWhileTheirBindingLives) {
  ASSERT_TRUE(table_.Bind(BindRequest(0, 3), now()).ok());
  auto found = Lookup({0, 1}).response;
  ASSERT_EQ(found.bindings_size(), 1);
  EXPECT_EQ(found.bindings(0).dp(), 3u);
  EXPECT_EQ(found.bindings(0).server(), "p");
  clock_.Pass(1000 * kMs);
  EXPECT_EQ(Lookup({0}).response.bindings_size(), 0);
  table_.Tick(now());
  EXPECT_EQ(table_.bindings(), 0u);
}

TEST_F(Rooms, OfTwoServersOrNoncesAreTwo) {
  auto request = BindRequest(1, 1);
  Add(1, request.add_bindings())->mutable_room()->set_nonce(9);
  Add(1, request.add_bindings())->set_server("q");
  ASSERT_TRUE(table_.Bind(request, now()).ok());
  EXPECT_EQ(table_.bindings(), 3u);
}

TEST_F(Rooms, AreBoundToOneDpAtATime) {
  ASSERT_TRUE(table_.Bind(BindRequest(1, 1), now()).ok());
  ASSERT_TRUE(table_.Bind(BindRequest(1, 1), now()).ok());
  auto refused = table_.Bind(BindRequest(1, 2), now());
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kRoomBound);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("bound to dp 1, not 2"));
  clock_.Pass(1000 * kMs);
  EXPECT_TRUE(table_.Bind(BindRequest(1, 2), now()).ok());
}

TEST_F(Rooms, ARefusedRequestBindsNothing) {
  auto request = BindRequest(1, 1);
  Add(2, request.add_bindings())->set_dp(1);
  Add(2, request.add_bindings())->set_dp(2);
  EXPECT_EQ(ReasonOf(table_.Bind(request, now()).status()), Reason::kRoomBound);
  EXPECT_EQ(table_.bindings(), 0u);
}

TEST_F(Rooms, ABindingThatIsSaidAgainLivesLonger) {
  ASSERT_TRUE(table_.Bind(BindRequest(1, 1), now()).ok());
  clock_.Pass(900 * kMs);
  ASSERT_TRUE(table_.Bind(BindRequest(1, 1), now()).ok());
  clock_.Pass(900 * kMs);
  table_.Tick(now());
  EXPECT_EQ(Lookup({1}).response.bindings_size(), 1);
}

TEST_F(Rooms, AWaitEndsWithTheFirstOfItsRooms) {
  auto waiting = Lookup({1, 2, 2, 3}, 500 * kMs);
  ASSERT_TRUE(waiting.waiter.has_value());
  EXPECT_EQ(table_.waiting_rooms(), 3u);
  auto other = table_.Bind(BindRequest(9, 0), now());
  EXPECT_TRUE(other->empty());
  auto answers = table_.Bind(BindRequest(2, 4), now());
  ASSERT_EQ(answers->size(), 1u);
  EXPECT_EQ(answers->front().waiter, *waiting.waiter);
  ASSERT_EQ(answers->front().response.bindings_size(), 1);
  EXPECT_EQ(answers->front().response.bindings(0).dp(), 4u);
  EXPECT_EQ(table_.waiting_rooms(), 0u);
  clock_.Pass(1000 * kMs);
  EXPECT_TRUE(table_.Tick(now()).empty());
}

TEST_F(Rooms, AWaitEndsWithItsTime) {
  Lookup({1}, 500 * kMs);
  clock_.Pass(499 * kMs);
  EXPECT_TRUE(table_.Tick(now()).empty());
  clock_.Pass(1 * kMs);
  auto answers = table_.Tick(now());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].response.bindings_size(), 0);
}

TEST_F(Rooms, AWaitThatIsCancelledIsNotAnswered) {
  auto waiting = Lookup({1}, 500 * kMs);
  table_.Cancel(*waiting.waiter);
  EXPECT_EQ(table_.waiting_rooms(), 0u);
  EXPECT_TRUE(table_.Bind(BindRequest(1, 1), now())->empty());
}

TEST_F(Rooms, AreBounded) {
  limits_.bindings = 2;
  limits_.waiting_lookups = 2;
  limits_.rooms_per_request = 3;
  RoomTable small(limits_);
  EXPECT_TRUE(small.Bind(BindRequest(1, 1), now()).ok());
  EXPECT_TRUE(small.Bind(BindRequest(2, 1), now()).ok());
  auto full = small.Bind(BindRequest(3, 1), now());
  EXPECT_EQ(ReasonOf(full.status()), Reason::kFull);
  EXPECT_THAT(std::string(full.status().message()), HasSubstr("--max_bindings is 2"));
  auto wait = small.Lookup(LookupRequest({7, 8, 9}), now(), now() + kLease);
  EXPECT_EQ(ReasonOf(wait.status()), Reason::kFull);
  auto many = small.Lookup(LookupRequest({5, 6, 7, 8}), now(), now());
  EXPECT_EQ(ReasonOf(many.status()), Reason::kTooLarge);
  EXPECT_EQ(ReasonOf(small.Lookup(LookupRequest({}), now(), now()).status()), Reason::kBadSpec);
  clock_.Pass(1000 * kMs);
  EXPECT_TRUE(small.Bind(BindRequest(3, 1), now()).ok());
}

TEST_F(Rooms, NoBindingLivesLongerThanTheServiceAllows) {
  ASSERT_TRUE(table_.Bind(BindRequest(1, 1, UINT32_MAX), now()).ok());
  clock_.Pass(limits_.binding_life_max);
  EXPECT_EQ(Lookup({1}).response.bindings_size(), 0);
}

TEST_F(Rooms, EachHasItsOwnTime) {
  auto request = BindRequest(0, 3, 60000);
  Add(1, request.add_bindings())->set_ttl_ms(1000);
  ASSERT_TRUE(table_.Bind(request, now()).ok());
  clock_.Pass(1000 * kMs);
  table_.Tick(now());
  EXPECT_EQ(Lookup({0, 1}).response.bindings_size(), 1);
  EXPECT_EQ(table_.bindings(), 1u);
}

// Rooms that lasted a second were kept for the time that they might have lasted.
TEST_F(Rooms, ThatAreOverAreKeptForAWhileAndNoLonger) {
  ASSERT_TRUE(table_.Bind(BindRequest(0, 3, 600000), now()).ok());
  ASSERT_TRUE(table_.Bind(BindRequest(1, 3, 1000), now()).ok());
  v1::BindRoomRequest over;
  for (uint64_t room : {0, 1, 7}) Add(room, over.add_over());
  ASSERT_TRUE(table_.Bind(over, now()).ok());
  EXPECT_EQ(table_.bindings(), 2u) << "who comes late still finds them";
  clock_.Pass(1000 * kMs);
  table_.Tick(now());
  EXPECT_EQ(table_.bindings(), 1u) << "no longer than they had";
  clock_.Pass(limits_.binding_linger);
  table_.Tick(now());
  EXPECT_EQ(table_.bindings(), 0u);
}

TEST_F(Rooms, AnIdThatIsUsedAgainOutlivesItsEarlierUse) {
  ASSERT_TRUE(table_.Bind(BindRequest(0, 3, 600000), now()).ok());
  auto both = BindRequest(0, 3, 600000);
  Add(0, both.add_over());
  ASSERT_TRUE(table_.Bind(both, now()).ok());
  clock_.Pass(limits_.binding_linger + kMs);
  table_.Tick(now());
  EXPECT_EQ(Lookup({0}).response.bindings_size(), 1);
}

}  // namespace
}  // namespace baton::registry
