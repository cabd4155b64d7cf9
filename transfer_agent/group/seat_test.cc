#include "transfer_agent/group/seat.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/drawing.h"
#include "transfer_agent/group/quorum.h"

namespace baton::group {
namespace {

constexpr RoomKey kRoom{7, 0};

TEST(SeatStates, TheDrawingIsCurrent) {
  EXPECT_EQ(DrawingOf("group_seat"),
            RenderDot("group_seat", absl::MakeConstSpan(kSeatRows), SeatState::kFollowing));
}

TEST(Quorum, OfTwoTheFirstGoesOnAlone) {
  EXPECT_TRUE(Decides(2, [](SeatIndex seat) { return seat == 0; }));
  EXPECT_FALSE(Decides(2, [](SeatIndex seat) { return seat == 1; }));
}

TEST(Quorum, TwoSetsThatDecideShareASeat) {
  for (SeatIndex seats = 1; seats <= 8; ++seats) {
    for (uint32_t set = 0; set < 1u << seats; ++set) {
      const bool decides = Decides(seats, [&](SeatIndex seat) { return set >> seat & 1; });
      const bool others = Decides(seats, [&](SeatIndex seat) { return !(set >> seat & 1); });
      EXPECT_NE(decides, others) << seats << " seats, set " << set;
    }
  }
}

// Seats that reach each other at once.
class GroupTest : public testing::Test {
 protected:
  void Make(SeatIndex seats) {
    options_.seats = seats;
    for (SeatIndex at = 0; at < seats; ++at) Start(at, HeldLog(100));
    for (SeatIndex at = 0; at < seats; ++at) Join(at);
    Talk();
  }
  void Start(SeatIndex at, HeldLog log) {
    options_.self = at;
    options_.life = Life(at + 1);
    seats_.resize(options_.seats);
    seats_[at] = std::make_unique<Seat>(options_, std::move(log), now_);
  }
  void Join(SeatIndex at) {
    for (SeatIndex other = 0; other < options_.seats; ++other) {
      if (other != at && seats_[other]) seats_[at]->Up(other, Life(other + 1));
    }
  }
  void Leave(SeatIndex at) {
    seats_[at].reset();
    for (auto& seat : seats_) {
      if (seat) seat->Down(at, now_);
    }
  }
  void Return(SeatIndex at, HeldLog log) {
    options_.returns = true;
    Start(at, std::move(log));
    Join(at);
    for (SeatIndex other = 0; other < options_.seats; ++other) {
      if (other != at && seats_[other]) seats_[other]->Up(at, Life(at + 1));
    }
    Talk();
  }
  void Talk() {
    for (auto& seat : seats_) {
      if (seat) seat->Tick(now_);
    }
    for (bool said = true; said;) {
      said = false;
      for (SeatIndex at = 0; at < seats_.size(); ++at) {
        if (!seats_[at]) continue;
        for (Outgoing& out : seats_[at]->TakeOutgoing()) {
          said = true;
          if (seats_[out.to]) seats_[out.to]->Receive(at, std::move(out.message));
        }
      }
    }
  }
  std::vector<Kind> Shown(SeatIndex at) {
    std::vector<Kind> kinds;
    const HeldLog& log = seats_[at]->log();
    for (uint64_t index = 0; index < log.end(); ++index) kinds.push_back(log.at(index).kind);
    return kinds;
  }
  using Kinds = std::vector<Kind>;

  SeatOptions options_;
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  std::vector<std::unique_ptr<Seat>> seats_;
};

TEST_F(GroupTest, ARoomIsFinishedWhenTheLastRankHasFinished) {
  Make(3);
  for (auto& seat : seats_) ASSERT_TRUE(seat->Open(kRoom, 0));
  seats_[0]->Tell(kRoom, Kind::kFinished, "");
  seats_[2]->Tell(kRoom, Kind::kFinished, "");
  Talk();
  EXPECT_EQ(Shown(1), Kinds());
  seats_[1]->Tell(kRoom, Kind::kFinished, "");
  Talk();
  for (SeatIndex at = 0; at < 3; ++at) EXPECT_EQ(Shown(at), Kinds({Kind::kFinished}));
}

TEST_F(GroupTest, TheFirstFailureIsEverybodysAndNamesItsRank) {
  Make(2);
  for (auto& seat : seats_) ASSERT_TRUE(seat->Open(kRoom, 0));
  seats_[0]->Tell(kRoom, Kind::kFinished, "");
  seats_[1]->Tell(kRoom, Kind::kFailed, "its source died");
  Talk();
  ASSERT_EQ(Shown(0), Kinds({Kind::kFailed}));
  EXPECT_EQ(seats_[0]->log().at(0), (Entry{kRoom, Kind::kFailed, 1, "its source died"}));
  seats_[1]->Tell(kRoom, Kind::kReleased, "");
  Talk();
  EXPECT_EQ(Shown(0), Kinds({Kind::kFailed, Kind::kReleased}));
}

TEST_F(GroupTest, ARankThatHasNotOpenedAFailedRoomDoesNotAnyMore) {
  Make(2);
  ASSERT_TRUE(seats_[0]->Open(kRoom, 0));
  seats_[0]->Tell(kRoom, Kind::kFailed, "aborted");
  Talk();
  EXPECT_FALSE(seats_[1]->Open(kRoom, 0));
  seats_[0]->Tell(kRoom, Kind::kReleased, "");
  Talk();
  EXPECT_EQ(Shown(1), Kinds({Kind::kFailed, Kind::kReleased}));
  EXPECT_TRUE(seats_[1]->Open(kRoom, 2)) << "the id is used again";
}

TEST_F(GroupTest, TheNextRankLeadsWhenTheLeaderIsGone) {
  Make(3);
  EXPECT_EQ(seats_[0]->state(), SeatState::kLeading);
  for (auto& seat : seats_) ASSERT_TRUE(seat->Open(kRoom, 0));
  seats_[1]->Tell(kRoom, Kind::kFinished, "");
  Talk();
  HeldLog kept = seats_[0]->log();
  Leave(0);
  now_ += options_.patience;
  Talk();
  EXPECT_EQ(seats_[1]->state(), SeatState::kLeading);
  EXPECT_EQ(seats_[2]->state(), SeatState::kFollowing);
  // It comes back without its rooms: what it had not told is lost.
  Return(0, std::move(kept));
  EXPECT_EQ(seats_[0]->state(), SeatState::kFollowing);
  ASSERT_EQ(Shown(2), Kinds({Kind::kFailed}));
  EXPECT_EQ(seats_[2]->log().at(0).cause, "its agent has started anew");
}

TEST_F(GroupTest, ADeadEngineFailsWhatItHadNotFinished) {
  Make(2);
  for (auto& seat : seats_) ASSERT_TRUE(seat->Open(kRoom, 0));
  seats_[0]->Tell(kRoom, Kind::kFinished, "");
  seats_[1]->EngineGone();
  Talk();
  EXPECT_EQ(Shown(0), Kinds({Kind::kFailed, Kind::kReleased}));
}

TEST_F(GroupTest, AnotherEngineOfARankIsOutside) {
  Make(3);
  Leave(2);
  options_.self = 2;
  options_.life = Life(99);
  seats_[2] = std::make_unique<Seat>(options_, HeldLog(100), now_);
  Join(2);
  seats_[0]->Up(2, Life(99));
  seats_[1]->Up(2, Life(99));
  Talk();
  EXPECT_TRUE(seats_[2]->outside());
}

}  // namespace
}  // namespace baton::group
