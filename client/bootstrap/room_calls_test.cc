#include "client/bootstrap/room_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  static v1::LookupRoomResponse Found(std::initializer_list<std::pair<uint64_t, uint32_t>> rooms) {
    v1::LookupRoomResponse answer;
    for (auto [room, dp] : rooms) {
      v1::RoomBinding* binding = answer.add_bindings();
      binding->set_server("p");
      binding->mutable_room()->set_id(room);
      binding->set_dp(dp);
    }
    return answer;
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

TEST_F(RoomCallsTest, LookupsThatComeTogetherGoTogether) {
  Lookup(1);
  Lookup(2);
  Lookup(2);
  auto calls = calls_.Step(now_);
  ASSERT_EQ(calls.lookups.size(), 1u);
  EXPECT_EQ(calls.lookups[0].second.rooms_size(), 2);
  EXPECT_GT(calls.lookups[0].second.wait_ms(), 0u);
  EXPECT_TRUE(calls_.Step(now_).lookups.empty());
  calls_.OnLookup(calls.lookups[0].first, Found({{2, 7}}), now_);
  EXPECT_THAT(Take(), ElementsAre("2=7", "2=7"));
  // The other is asked for again.
  calls = calls_.Step(now_);
  ASSERT_EQ(calls.lookups.size(), 1u);
  EXPECT_EQ(calls.lookups[0].second.rooms(0).room().id(), 1u);
}

TEST_F(RoomCallsTest, ALookupEndsWithItsTime) {
  Lookup(1, 100 * kMs);
  auto calls = calls_.Step(now_);
  EXPECT_EQ(calls_.next(now_), now_ + 100 * kMs);
  now_ += 100 * kMs;
  calls_.Step(now_);
  EXPECT_THAT(Take(), ElementsAre("1ROOM_UNKNOWN"));
  calls_.OnLookup(calls.lookups[0].first, Found({{1, 7}}), now_);
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(RoomCallsTest, AnUnreachableServiceIsAskedAgainLater) {
  Lookup(1);
  auto calls = calls_.Step(now_);
  calls_.OnLookup(calls.lookups[0].first, Error(Reason::kPeerLost, "gone"), now_);
  EXPECT_TRUE(calls_.Step(now_).lookups.empty());
  now_ = calls_.next(now_);
  EXPECT_EQ(calls_.Step(now_).lookups.size(), 1u);
}

TEST_F(RoomCallsTest, ARefusedLookupFailsWithTheCause) {
  Lookup(1);
  auto calls = calls_.Step(now_);
  calls_.OnLookup(calls.lookups[0].first, Error(Reason::kBadSpec, "name"), now_);
  EXPECT_THAT(Take(), ElementsAre("1BAD_SPEC"));
}

TEST_F(RoomCallsTest, FewLookupsWaitAtTheServiceAtOneTime) {
  std::vector<uint32_t> waits;
  for (uint64_t room = 0; room < 20; ++room) {
    Lookup(room);
    for (auto& [id, request] : calls_.Step(now_).lookups) waits.push_back(request.wait_ms());
  }
  EXPECT_EQ(waits.size(), 8u);
  EXPECT_LT(waits.back(), waits.front());
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

TEST_F(RoomCallsTest, BindingsOfDifferentLifeGoInTwoRequests) {
  Bind(1, 4, 1000 * kMs);
  Bind(2, 4, 60000 * kMs);
  EXPECT_THAT(Rooms(*calls_.Step(now_).bind), ElementsAre(1));
  calls_.OnBind(v1::BindRoomResponse(), now_);
  EXPECT_THAT(Rooms(*calls_.Step(now_).bind), ElementsAre(2));
}

TEST_F(RoomCallsTest, OneBadBindingDoesNotStopTheOthers) {
  for (uint64_t room : {1, 2, 3}) Bind(room, 4);
  calls_.Step(now_);
  calls_.OnBind(Error(Reason::kRoomBound, "room 2"), now_);
  std::vector<uint64_t> bound;
  while (auto bind = calls_.Step(now_).bind) {
    ASSERT_EQ(bind->bindings_size(), 1);
    uint64_t room = bind->bindings(0).room().id();
    if (room == 2) {
      calls_.OnBind(Error(Reason::kRoomBound, "room 2"), now_);
    } else {
      bound.push_back(room);
      calls_.OnBind(v1::BindRoomResponse(), now_);
    }
  }
  EXPECT_THAT(bound, ElementsAre(1, 3));
}

}  // namespace
}  // namespace baton
