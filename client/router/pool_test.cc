// What pools are made of, against the plain way to say the same.
#include "client/router/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "client/router/choose.h"
#include "client/router/stable_hash.h"

namespace baton::router {
namespace {

TEST(StableHash, DoesNotChangeFromVersionToVersion) {
  // Routers of two versions side by side must agree on who owns a prefix.
  EXPECT_EQ(StableHash(""), 3177316844422856877U);
  EXPECT_EQ(StableHash("prefill-0"), 15405987072624844786U);
}

TEST(Tournament, KnowsTheLeastUnderAnyChanges) {
  Tournament tournament;
  std::map<uint32_t, uint64_t> keys;   // by id
  std::map<uint32_t, uint32_t> seats;  // by id
  Random random(1);
  for (uint32_t step = 0; step < 20000; ++step) {
    const uint64_t what = random.Below(3);
    const uint64_t key = random.Below(50);
    if (keys.empty() || (what == 0 && keys.size() < 100)) {
      seats[step] = tournament.Add(step, key);
      keys[step] = key;
    } else {
      auto one = std::next(keys.begin(), random.Below(keys.size()));
      const uint32_t id = one->first;
      if (what == 1) {
        tournament.SetKey(seats[id], one->second = key);
      } else {
        const uint32_t moved = tournament.Remove(seats[id]);
        seats[moved] = seats[id];
        seats.erase(id);
        keys.erase(id);
      }
    }
    ASSERT_EQ(tournament.size(), keys.size());
    if (keys.empty()) continue;
    uint64_t least = UINT64_MAX;
    for (const auto& [id, value] : keys) least = std::min(least, value);
    ASSERT_EQ(tournament.key(tournament.best()), least) << "step " << step;
    ASSERT_EQ(keys[tournament.id(tournament.best())], least);
  }
}

uint32_t OwnerOf(const Ring& ring, uint64_t key) { return ring.From(Mix(key))->second; }

TEST(Ring, SharesAreNearlyEqual) {
  Ring ring;
  constexpr uint32_t kServers = 50;
  for (uint32_t id = 0; id < kServers; ++id) ring.Add("server-" + std::to_string(id), id);
  std::vector<int> owned(kServers);
  constexpr int kKeys = 100000;
  for (int key = 0; key < kKeys; ++key) ++owned[OwnerOf(ring, key)];
  for (int count : owned) {
    EXPECT_GT(count, kKeys / kServers * 0.65);
    EXPECT_LT(count, kKeys / kServers * 1.4);
  }
}

TEST(Ring, AServerThatGoesMovesItsOwnKeysAlone) {
  Ring ring;
  for (uint32_t id = 0; id < 20; ++id) ring.Add("server-" + std::to_string(id), id);
  std::vector<uint32_t> before;
  for (int key = 0; key < 10000; ++key) before.push_back(OwnerOf(ring, key));
  ring.Remove("server-7");
  for (int key = 0; key < 10000; ++key) {
    if (before[key] == 7) {
      EXPECT_NE(OwnerOf(ring, key), 7u);
    } else {
      EXPECT_EQ(OwnerOf(ring, key), before[key]);
    }
  }
  ring.Add("server-7", 7);
  for (int key = 0; key < 10000; ++key) EXPECT_EQ(OwnerOf(ring, key), before[key]);
}

TEST(Ring, AServerThatComesTakesKeysForItselfAlone) {
  Ring ring;
  for (uint32_t id = 0; id < 20; ++id) ring.Add("server-" + std::to_string(id), id);
  std::vector<uint32_t> before;
  for (int key = 0; key < 10000; ++key) before.push_back(OwnerOf(ring, key));
  ring.Add("new", 99);
  int moved = 0;
  for (int key = 0; key < 10000; ++key) {
    const uint32_t owner = OwnerOf(ring, key);
    moved += owner != before[key] ? 1 : 0;
    if (owner != before[key]) {
      EXPECT_EQ(owner, 99u);
    }
  }
  EXPECT_GT(moved, 200);
  EXPECT_LT(moved, 900);  // a 21st, which is 476
}

// Two pools with members 0 to 9, whose keys are their numbers.
class ChooseTest : public ::testing::Test {
 protected:
  ChooseTest() {
    for (uint32_t id = 0; id < 10; ++id) {
      Pool& pool = id % 2 == 0 ? even_ : odd_;
      pool.Join(id, "server-" + std::to_string(id), {kEverywhere, 100 + id / 4}, id);
    }
    from_.pools = {&even_, &odd_};
  }

  Pool even_{planner::ServerSpec()};
  Pool odd_{planner::ServerSpec()};
  Candidates from_;
  Random random_{3};
};

TEST_F(ChooseTest, InTurnTakesEachOnce) {
  uint64_t turn = 0;
  std::map<uint32_t, int> taken;
  for (int i = 0; i < 30; ++i) ++taken[*ChooseInTurn(from_, &turn)];
  for (uint32_t id = 0; id < 10; ++id) EXPECT_EQ(taken[id], 3);
}

TEST_F(ChooseTest, OfTwoPrefersTheLessLoadedAndNeverTakesTheMost) {
  std::map<uint32_t, int> taken;
  for (int i = 0; i < 9000; ++i) ++taken[*ChooseOfTwo(from_, &random_)];
  EXPECT_EQ(taken[9], 0);
  // The k-th of ten wins against all that are above it: (9 - k) of 45 pairs.
  for (uint32_t id = 0; id < 9; ++id) {
    const double share = (9 - id) * 9000 / 45.0;
    EXPECT_GT(taken[id], share * 0.8 - 20) << id;
    EXPECT_LT(taken[id], share * 1.2 + 20) << id;
  }
}

TEST_F(ChooseTest, LeastTakesTheLeast) {
  EXPECT_EQ(ChooseLeast(from_), 0u);
  EXPECT_EQ(ChooseLeast(from_, 101), 4u);
  EXPECT_EQ(ChooseLeast(from_, 999), std::nullopt);
}

TEST_F(ChooseTest, NearestLooksCloseFirst) {
  EXPECT_EQ(ChooseNearest(from_, {kEverywhere, 102}), 8u);
  EXPECT_EQ(ChooseNearest(from_, {kEverywhere, 999}), 0u);
  from_.avoid = {8, 9};
  EXPECT_EQ(ChooseNearest(from_, {kEverywhere, 102}), 0u);
}

TEST_F(ChooseTest, WhatIsAvoidedIsNotTaken) {
  for (uint32_t id = 0; id < 10; ++id) {
    if (id != 6) from_.avoid.push_back(id);
  }
  uint64_t turn = 0;
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(ChooseInTurn(from_, &turn), 6u);
    EXPECT_EQ(ChooseOfTwo(from_, &random_), 6u);
    EXPECT_EQ(ChooseLeast(from_), 6u);
    EXPECT_EQ(ChooseOwner(from_, Mix(i)), 6u);
  }
  from_.avoid.push_back(6);
  EXPECT_EQ(ChooseInTurn(from_, &turn), std::nullopt);
  EXPECT_EQ(ChooseOfTwo(from_, &random_), std::nullopt);
  EXPECT_EQ(ChooseLeast(from_), std::nullopt);
  EXPECT_EQ(ChooseOwner(from_, 1), std::nullopt);
}

TEST_F(ChooseTest, AnOwnerOfSeveralPoolsIsThatOfOneRing) {
  Ring all;
  for (uint32_t id = 0; id < 10; ++id) all.Add("server-" + std::to_string(id), id);
  for (uint64_t key = 0; key < 2000; ++key) {
    EXPECT_EQ(ChooseOwner(from_, Mix(key)), all.From(Mix(key))->second);
  }
}

TEST(Pool, MembersThatLeaveTellWhoTookTheirSeats) {
  Pool pool{planner::ServerSpec()};
  std::vector<Seats> seats;
  const Places places = {kEverywhere, 5};
  for (uint32_t id = 0; id < 3; ++id) {
    seats.push_back(pool.Join(id, std::to_string(id), places, 10 - id));
  }
  int moves = 0;
  pool.Leave("0", places, seats[0], [&](uint32_t moved, uint64_t, uint32_t seat) {
    EXPECT_EQ(moved, 2u);
    EXPECT_EQ(seat, 0u);
    ++moves;
  });
  EXPECT_EQ(moves, 2);
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool.At(5)->size(), 2u);
  EXPECT_EQ(pool.At(6), nullptr);
}

}  // namespace
}  // namespace baton::router
