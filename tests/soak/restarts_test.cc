#include "tests/soak/restarts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace baton::soak {
namespace {

using chaos::FaultKind;
using testing::ElementsAre;
using testing::Pair;

TEST(RestartsTest, EachProcessHasItsTurnKilledAndAskedToEnd) {
  Restarts restarts(3);
  std::map<std::pair<FaultKind, uint32_t>, int> drawn;
  for (size_t i = 0; i < 2 * Restarts::kTurns; ++i) {
    const chaos::Fault fault = restarts.Next();
    ++drawn[{fault.kind, fault.pod}];
    EXPECT_GE(fault.lasts.count(), 200);
    EXPECT_LT(fault.lasts.count(), 2000);
  }
  EXPECT_THAT(
      drawn, ElementsAre(
                 Pair(Pair(FaultKind::kKillAgent, 1), 1), Pair(Pair(FaultKind::kKillAgent, 3), 1),
                 Pair(Pair(FaultKind::kDrainAgent, 1), 1), Pair(Pair(FaultKind::kDrainAgent, 3), 1),
                 Pair(Pair(FaultKind::kKillServer, 0), 2), Pair(Pair(FaultKind::kKillServer, 2), 2),
                 Pair(Pair(FaultKind::kKillBootstrap, 0), 1),
                 Pair(Pair(FaultKind::kRestartBootstrap, 0), 1)));
}

TEST(RestartsTest, TheOrderIsTheSeeds) {
  auto order = [](uint64_t seed) {
    Restarts restarts(seed);
    std::vector<std::pair<FaultKind, uint32_t>> drawn;
    for (int i = 0; i < 20; ++i) {
      const chaos::Fault fault = restarts.Next();
      drawn.emplace_back(fault.kind, fault.pod);
    }
    return drawn;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
}

}  // namespace
}  // namespace baton::soak
