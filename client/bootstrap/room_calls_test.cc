#include "client/bootstrap/room_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kMs = std::chrono::milliseconds(1);

class RoomCallsTest : public ::testing::Test {
 protected:
  void Lookup(uint64_t room, std::chrono::milliseconds wait = 5000 * kMs) {
    calls_.Lookup("p", {room, 0}, now_ + wait, [this, room](absl::StatusOr<uint32_t> dp) {
      said_.push_back(absl::StrCat(
          room, dp.ok() ? absl::StrCat("=", *dp) : std::string(ReasonName(ReasonOf(dp.status())))));
    });
  }
  void Bind(uint64_t room, uint32_t dp, std::chrono::milliseconds ttl = 60000 * kMs) {
    calls_.Bind("p", {room, 0}, dp, now_ + ttl);
  }
  // What was found, as the stream brings it.
  void Found(std::initializer_list<std::pair<uint64_t, uint32_t>> rooms) {
    v1::FollowRoomsResponse answer;
    for (auto [room, dp] : rooms) {
      v1::RoomBinding* binding = answer.add_bindings();
      binding->set_server("p");
      binding->mutable_room()->set_id(room);
      binding->set_dp(dp);
    }
    calls_.OnFollowed(answer);
  }
  std::vector<uint64_t> Followed(const RoomCalls::Calls& calls) {
    std::vector<uint64_t> rooms;
    for (const auto& request : calls.follow) {
      for (const auto& room : request.rooms()) rooms.push_back(room.room().id());
    }
    return rooms;
  }
  std::vector<uint64_t> Rooms(const v1::BindRoomRequest& request) {
    std::vector<uint64_t> rooms;
    for (const auto& binding : request.bindings()) rooms.push_back(binding.room().id());
    return rooms;
  }
  std::vector<std::string> Take() { return std::exchange(said_, {}); }

  TimePoint now_{std::chrono::hours(1)};
  std::vector<std::string> said_;
  RoomCalls calls_{2000 * kMs, 1};
};

TEST_F(RoomCallsTest, LookupsThatComeTogetherGoTogetherOverOneStream) {
  Lookup(1);
  Lookup(2);
  Lookup(2);
  auto calls = calls_.Step(now_);
  EXPECT_TRUE(calls.open_stream);
  ASSERT_EQ(calls.follow.size(), 1u);
  EXPECT_THAT(Followed(calls), ElementsAre(1, 2));
  EXPECT_NEAR(calls.follow[0].rooms(0).ttl_ms(), 5000, 1);
  EXPECT_EQ(calls_.lookups(), 3u);
  Found({{2, 7}});
  EXPECT_THAT(Take(), ElementsAre("2=7", "2=7"));
  EXPECT_EQ(calls_.lookups(), 1u);
}

// Each answer asked for the rest of its call again, and only eight calls could wait: a room that
// came later waited 50 ms for its turn, and the work grew with the square of the rooms.
TEST_F(RoomCallsTest, ARoomIsAskedForOnceHoweverManyWaitOrAreFound) {
  for (uint64_t room = 0; room < 3000; ++room) {
    Lookup(room);
    auto calls = calls_.Step(now_);
    EXPECT_EQ(calls.open_stream, room == 0);
    ASSERT_THAT(Followed(calls), ElementsAre(room)) << "at once, whatever waits already";
    if (room >= 2000) Found({{room - 2000, 1}});
    ASSERT_THAT(Followed(calls_.Step(now_)), IsEmpty());
  }
  EXPECT_EQ(calls_.lookups(), 2000u);
}

TEST_F(RoomCallsTest, ALookupEndsWithItsTime) {
  Lookup(1, 100 * kMs);
  calls_.Step(now_);
  EXPECT_EQ(calls_.next(now_), now_ + 100 * kMs);
  now_ += 100 * kMs;
  calls_.Step(now_);
  EXPECT_THAT(Take(), ElementsAre("1ROOM_UNKNOWN"));
  Found({{1, 7}});
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(RoomCallsTest, ALookupThatWaitsLongerIsFollowedForAsLong) {
  Lookup(1, 100 * kMs);
  calls_.Step(now_);
  Lookup(1, 50 * kMs);
  EXPECT_THAT(Followed(calls_.Step(now_)), IsEmpty());
  Lookup(1, 9000 * kMs);
  auto calls = calls_.Step(now_);
  ASSERT_THAT(Followed(calls), ElementsAre(1));
  EXPECT_NEAR(calls.follow[0].rooms(0).ttl_ms(), 9000, 1);
  now_ += 100 * kMs;
  calls_.Step(now_);
  EXPECT_THAT(Take(), ElementsAre("1ROOM_UNKNOWN", "1ROOM_UNKNOWN"));
  Found({{1, 7}});
  EXPECT_THAT(Take(), ElementsAre("1=7"));
}

TEST_F(RoomCallsTest, AStreamThatEndsIsOpenedAgainLaterForAllThatWait) {
  Lookup(1);
  Lookup(2);
  calls_.Step(now_);
  Found({{2, 7}});
  calls_.OnStreamEnd(now_);
  Lookup(3);
  EXPECT_THAT(Followed(calls_.Step(now_)), IsEmpty());
  now_ = calls_.next(now_);
  auto calls = calls_.Step(now_);
  EXPECT_TRUE(calls.open_stream);
  EXPECT_THAT(Followed(calls), ElementsAre(1, 3));
}

TEST_F(RoomCallsTest, TooManyLookupsFailAtOnce) {
  for (uint64_t room = 0; room <= RoomCalls::kWaitingMax; ++room) Lookup(room);
  calls_.Step(now_);
  EXPECT_EQ(Take().size(), 1u);
}

TEST_F(RoomCallsTest, StopFailsWhatWaits) {
  Lookup(1);
  calls_.Step(now_);
  calls_.Stop(Error(Reason::kAborted, "stopped"));
  EXPECT_THAT(Take(), ElementsAre("1ABORTED"));
}

TEST_F(RoomCallsTest, BindingsGoTogetherAndOnce) {
  Bind(1, 4);
  Bind(2, 5);
  auto calls = calls_.Step(now_);
  ASSERT_TRUE(calls.bind.has_value());
  EXPECT_THAT(Rooms(*calls.bind), ElementsAre(1, 2));
  EXPECT_EQ(calls.bind->bindings(1).dp(), 5u);
  EXPECT_NEAR(calls.bind->ttl_ms(), 60000, 1);
  EXPECT_FALSE(calls_.Step(now_).bind.has_value());
  calls_.OnBind(v1::BindRoomResponse(), now_);
  EXPECT_FALSE(calls_.Step(now_).bind.has_value());
}

TEST_F(RoomCallsTest, BindingsAreToldAgainToAServiceThatForgotUntilTheirTimeIsOver) {
  Bind(1, 4, 1000 * kMs);
  Bind(2, 4, 60000 * kMs);
  for (int i = 0; i < 2; ++i) {
    calls_.Step(now_);
    calls_.OnBind(v1::BindRoomResponse(), now_);
  }
  now_ += 1000 * kMs;
  calls_.ForgetSent();
  EXPECT_THAT(Rooms(*calls_.Step(now_).bind), ElementsAre(2));
}

// Those that differed by more than a second in it went in requests of their own, one after another.
TEST_F(RoomCallsTest, BindingsOfAnyLifeGoInOneRequest) {
  for (uint64_t room = 1; room <= 100; ++room) Bind(room, 4, room * 1000 * kMs);
  auto bind = calls_.Step(now_).bind;
  ASSERT_TRUE(bind.has_value());
  ASSERT_EQ(bind->bindings_size(), 100);
  EXPECT_NEAR(bind->bindings(0).ttl_ms(), 1000, 1);
  EXPECT_NEAR(bind->bindings(99).ttl_ms(), 100000, 1);
  EXPECT_NEAR(bind->ttl_ms(), 100000, 1) << "for a service that knows no time of each";
}

TEST_F(RoomCallsTest, ABindingIsKeptNoLongerThanItsRoom) {
  Bind(1, 4);
  Bind(2, 4);
  calls_.Step(now_);
  calls_.OnBind(v1::BindRoomResponse(), now_);
  calls_.Over("p", {1, 0}, now_);
  EXPECT_EQ(calls_.bindings(), 1u);
  EXPECT_FALSE(calls_.Step(now_).bind.has_value()) << "no request of its own, at once";
  Bind(3, 4);
  auto bind = calls_.Step(now_).bind;
  ASSERT_TRUE(bind.has_value());
  ASSERT_EQ(bind->over_size(), 1);
  EXPECT_EQ(bind->over(0).room().id(), 1u);
  // One that did not arrive is told again.
  calls_.OnBind(Error(Reason::kPeerLost, "gone"), now_);
  now_ = calls_.next(now_);
  bind = calls_.Step(now_).bind;
  ASSERT_TRUE(bind.has_value());
  EXPECT_EQ(bind->over_size(), 1);
  EXPECT_THAT(Rooms(*bind), ElementsAre(3));
  calls_.OnBind(v1::BindRoomResponse(), now_);
  calls_.ForgetSent();
  EXPECT_THAT(Rooms(*calls_.Step(now_).bind), ElementsAre(2, 3));
}

TEST_F(RoomCallsTest, ARoomThatIsOverBeforeItsBindingIsSentIsBoundAllTheSame) {
  Bind(1, 4);
  calls_.Over("p", {1, 0}, now_);
  auto bind = calls_.Step(now_).bind;
  ASSERT_TRUE(bind.has_value());
  ASSERT_THAT(Rooms(*bind), ElementsAre(1));
  EXPECT_NEAR(bind->bindings(0).ttl_ms(), 30000, 1);
  EXPECT_EQ(bind->over_size(), 0);
  calls_.OnBind(v1::BindRoomResponse(), now_);
  now_ += 30000 * kMs;
  calls_.Step(now_);
  EXPECT_EQ(calls_.bindings(), 0u);
}

TEST_F(RoomCallsTest, RoomsThatAreOverAreToldWithinASecond) {
  calls_.Over("p", {1, 0}, now_);
  EXPECT_EQ(calls_.next(now_), now_ + 1000 * kMs);
  now_ += 1000 * kMs;
  auto bind = calls_.Step(now_).bind;
  ASSERT_TRUE(bind.has_value());
  EXPECT_EQ(bind->over_size(), 1);
  // An older service refuses a request without bindings.
  calls_.OnBind(Error(Reason::kBadSpec, "bindings: 0 rooms"), now_);
  EXPECT_FALSE(calls_.Step(now_).bind.has_value());
}

TEST_F(RoomCallsTest, OneBadBindingDoesNotStopTheOthers) {
  for (uint64_t room = 0; room < 1000; ++room) Bind(room, 4);
  std::vector<uint64_t> bound;
  size_t requests = 0;
  while (auto bind = calls_.Step(now_).bind) {
    ++requests;
    const std::vector<uint64_t> rooms = Rooms(*bind);
    if (std::count(rooms.begin(), rooms.end(), 500) > 0) {
      calls_.OnBind(Error(Reason::kRoomBound, "room 500"), now_);
    } else {
      bound.insert(bound.end(), rooms.begin(), rooms.end());
      calls_.OnBind(v1::BindRoomResponse(), now_);
    }
  }
  EXPECT_EQ(bound.size(), 999u);
  EXPECT_LT(requests, 50u) << "it is found by halves";
  EXPECT_EQ(calls_.bindings(), 999u);
}

}  // namespace
}  // namespace baton
