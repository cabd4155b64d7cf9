// Pods that claim one rank: each says the same server name, launch id and coordinates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/testing.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr RankCoord kSizes{1, 2, 1, 2};

class Twins : public ::testing::Test {
 protected:
  static Limits SettledLimits() {
    Limits limits;
    limits.settle = Duration::zero();
    return limits;
  }
  uint64_t Issue(const std::string& launch) {
    return registry_.Apply(ServerRequest("p", launch, kSizes), clock_.now)->incarnation();
  }
  // The lease, 0 when refused (then `refused_` says why).
  uint64_t Apply(const v1::RegisterRankRequest& request) {
    auto answer = registry_.Apply(request, clock_.now);
    refused_ = answer.status();
    return answer.ok() ? answer->lease_id() : 0;
  }
  uint64_t Register(uint64_t incarnation, const RankCoord& coord, uint64_t epoch) {
    return Apply(RankRequest("p", "one", incarnation, kSizes, coord, epoch));
  }
  std::vector<uint64_t> Renew(uint64_t epoch, const std::vector<uint64_t>& leases) {
    v1::KeepAliveRequest request;
    request.set_epoch(epoch);
    request.mutable_lease_ids()->Add(leases.begin(), leases.end());
    auto answer = registry_.Apply(request, clock_.now);
    return {answer->unknown_lease_ids().begin(), answer->unknown_lease_ids().end()};
  }
  // Time passes as the service lets it: in steps much shorter than a lease.
  void Pass(Duration time) {
    for (Duration done{}; done < time; done += 100 * kMs) {
      clock_.Pass(100 * kMs);
      registry_.Tick(clock_.now);
    }
  }

  TestClock clock_;
  Registry registry_{SettledLimits(), 77, clock_.now};
  absl::Status refused_;
};

// Six pods that claimed one rank rotated through its slot for ever, and the server was "ready".
TEST_F(Twins, AreHeldOffWhileTheHolderLivesAndBothAreNamed) {
  uint64_t incarnation = Issue("one");
  uint64_t lease = Register(incarnation, {0, 0, 0, 0}, 1);
  auto twin = RankRequest("p", "one", incarnation, kSizes, {0, 0, 0, 0}, 2);
  twin.mutable_rank()->set_agent_address("10.9.9.9:1");
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(Apply(twin), 0u);
    EXPECT_EQ(ReasonOf(refused_), Reason::kSettling);
    EXPECT_THAT(std::string(refused_.message()),
                AllOf(HasSubstr("10.0.0.1:1001"), HasSubstr("10.9.9.9:1"), HasSubstr("two pods")));
    EXPECT_TRUE(Renew(1, {lease}).empty());
    Pass(kLease / 3);
  }
  // Its holder is dead: the twin is a successor.
  Pass(kLease + 200 * kMs);
  EXPECT_NE(Apply(twin), 0u) << refused_;
}

TEST_F(Twins, OnOneHostTakeASlotOnceEach) {
  uint64_t incarnation = Issue("one");
  int granted = 0;
  for (int round = 0; round < 20; ++round) {
    for (uint64_t epoch = 1; epoch <= 6; ++epoch) {
      const bool held = registry_.Find("p")->slots[0].epoch == Epoch(epoch);
      if (Register(incarnation, {0, 0, 0, 0}, epoch) != 0 && !held) ++granted;
    }
  }
  EXPECT_EQ(granted, 6);
  EXPECT_EQ(Register(incarnation, {0, 0, 0, 0}, 5), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kStaleEpoch);
  EXPECT_THAT(std::string(refused_.message()),
              AllOf(HasSubstr("10.0.0.1:1005"), HasSubstr("10.0.0.1:1006"), HasSubstr("two pods")));
}

TEST_F(Twins, ALaunchThatWasReplacedHearsOfBothAndWhereTheyAre) {
  uint64_t first = Issue("one");
  Register(first, {0, 0, 0, 0}, 1);
  auto other = ServerRequest("p", "two", kSizes);
  other.set_agent_address("10.9.9.9:1");
  ASSERT_TRUE(registry_.Apply(other, clock_.now).ok());
  EXPECT_EQ(Register(first, {0, 0, 0, 0}, 1), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kStaleIncarnation);
  EXPECT_THAT(std::string(refused_.message()),
              AllOf(HasSubstr("launch one"), HasSubstr("10.0.0.1:1001"), HasSubstr("launch two"),
                    HasSubstr("10.9.9.9:1")));
}

}  // namespace
}  // namespace baton::registry
