#include "bootstrap_service/registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap_service/registry/testing.h"
#include "bootstrap_service/registry/view.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

using ::testing::HasSubstr;

constexpr RankCoord kSizes{1, 2, 1, 2};

class RegistryTest : public ::testing::Test {
 protected:
  static Limits SettledLimits() {
    Limits limits;
    limits.settle = Duration::zero();
    return limits;
  }
  explicit RegistryTest(const Limits& limits = SettledLimits())
      : registry_(limits, 77, clock_.now) {}

  uint64_t Issue(const std::string& launch, const RankCoord& sizes = kSizes) {
    auto answer = registry_.Apply(ServerRequest("p", launch, sizes), clock_.now);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->incarnation() : 0;
  }
  // The lease, 0 when refused (then `refused_` says why).
  uint64_t Register(uint64_t incarnation, const RankCoord& coord, uint64_t epoch = 1,
                    const std::string& launch = "one") {
    return Apply(RankRequest("p", launch, incarnation, kSizes, coord, epoch));
  }
  uint64_t Apply(const v1::RegisterRankRequest& request) {
    auto answer = registry_.Apply(request, clock_.now);
    refused_ = answer.status();
    return answer.ok() ? answer->lease_id() : 0;
  }
  std::vector<uint64_t> RegisterAll(uint64_t incarnation, uint64_t epoch = 1) {
    std::vector<uint64_t> leases;
    for (uint32_t slot = 0; slot < 4; ++slot) {
      leases.push_back(Register(incarnation, CoordOf(slot, kSizes), epoch));
    }
    return leases;
  }
  std::vector<uint64_t> Renew(uint64_t epoch, const std::vector<uint64_t>& leases) {
    v1::KeepAliveRequest request;
    request.set_epoch(epoch);
    request.mutable_lease_ids()->Add(leases.begin(), leases.end());
    auto answer = registry_.Apply(request, clock_.now);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return {answer->unknown_lease_ids().begin(), answer->unknown_lease_ids().end()};
  }
  // Time passes as the service lets it: in steps much shorter than a lease.
  void Pass(Duration time) {
    for (Duration done{}; done < time; done += 100 * kMs) {
      clock_.Pass(100 * kMs);
      registry_.Tick(clock_.now);
    }
  }
  ServerPhase Phase() { return registry_.Find("p")->phase.state(); }

  TestClock clock_;
  Registry registry_;
  absl::Status refused_;
};

class ReadyIsASet : public RegistryTest {};

TEST_F(ReadyIsASet, EverySlotOnceMakesReady) {
  uint64_t incarnation = Issue("one");
  for (uint32_t slot = 0; slot < 4; ++slot) {
    EXPECT_EQ(Phase(), ServerPhase::kRegistering);
    EXPECT_NE(Register(incarnation, CoordOf(slot, kSizes)), 0u);
  }
  EXPECT_EQ(Phase(), ServerPhase::kReady);
}

TEST_F(ReadyIsASet, ARankThatComesManyTimesCountsOnce) {
  uint64_t incarnation = Issue("one");
  uint64_t lease = Register(incarnation, {0, 0, 0, 0});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Register(incarnation, {0, 0, 0, 0}), lease);
  EXPECT_EQ(registry_.Find("p")->live.size(), 1u);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
}

TEST_F(ReadyIsASet, ARankThatDisagreesIsRefusedWithBothValues) {
  uint64_t incarnation = Issue("one");
  auto other = RankRequest("p", "one", incarnation, kSizes, {0, 1, 0, 1}, 1);
  other.mutable_spec()->mutable_tensors(0)->set_dtype("fp8");
  EXPECT_EQ(Apply(other), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kSpecMismatch);
  EXPECT_THAT(std::string(refused_.message()), HasSubstr("spec.tensors[0].dtype is \"bf16\""));
  EXPECT_THAT(std::string(refused_.message()), HasSubstr("dp0/pp1/cp0/tp1] brings \"fp8\""));
  EXPECT_EQ(RankOf(refused_), (RankRef{"p", {0, 1, 0, 1}}));
  EXPECT_EQ(registry_.Find("p")->live.size(), 0u);
}

TEST_F(ReadyIsASet, LosingOneLeaseMakesItNotReadyAndItsReturnReady) {
  uint64_t incarnation = Issue("one");
  std::vector<uint64_t> leases = RegisterAll(incarnation);
  std::vector<uint64_t> kept(leases.begin() + 1, leases.end());
  for (int i = 0; i < 4; ++i) {
    Pass(1000 * kMs);
    EXPECT_TRUE(Renew(1, kept).empty());
  }
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
  EXPECT_FALSE(registry_.Find("p")->live.Contains(0));
  EXPECT_EQ(Renew(1, {leases[0]}), std::vector<uint64_t>{leases[0]});
  EXPECT_NE(Register(incarnation, {0, 0, 0, 0}), 0u);
  EXPECT_EQ(Phase(), ServerPhase::kReady);
}

TEST_F(ReadyIsASet, RanksOfAnOlderStartDoNotCount) {
  uint64_t first = Issue("one");
  RegisterAll(first);
  uint64_t second = Issue("two");
  EXPECT_GT(second, first);
  EXPECT_EQ(registry_.Find("p")->live.size(), 0u);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
  EXPECT_EQ(Register(first, {0, 0, 0, 0}), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kStaleIncarnation);
  EXPECT_THAT(std::string(refused_.message()), HasSubstr(absl::StrCat(first)));
  EXPECT_THAT(std::string(refused_.message()), HasSubstr(absl::StrCat(second)));
}

class UnknownFieldsPass : public RegistryTest {};

TEST_F(UnknownFieldsPass, ANewerAgentRegistersBesideAnOlderOne) {
  uint64_t incarnation = Issue("one");
  auto newer = WithUnknownField(RankRequest("p", "one", incarnation, kSizes, {0, 0, 0, 0}, 1));
  *newer.mutable_spec() = WithUnknownField(newer.spec());
  *newer.mutable_spec()->mutable_tensors(0) = WithUnknownField(newer.spec().tensors(0));
  EXPECT_NE(Apply(newer), 0u) << refused_;
  EXPECT_NE(Register(incarnation, {0, 0, 0, 1}), 0u) << refused_;
}

TEST_F(UnknownFieldsPass, AndOnEveryOtherCommand) {
  auto issued = registry_.Apply(WithUnknownField(ServerRequest("p", "one", kSizes)), clock_.now);
  ASSERT_TRUE(issued.ok());
  uint64_t lease = Register(issued->incarnation(), {0, 0, 0, 0});
  v1::KeepAliveRequest keep_alive;
  keep_alive.set_epoch(1);
  keep_alive.add_lease_ids(lease);
  EXPECT_TRUE(registry_.Apply(WithUnknownField(keep_alive), clock_.now).ok());
  v1::DrainRequest drain;
  drain.set_server("p");
  EXPECT_TRUE(registry_.Apply(WithUnknownField(drain), clock_.now).ok());
  v1::DeregisterRequest deregister;
  deregister.add_lease_ids(lease);
  EXPECT_TRUE(registry_.Apply(WithUnknownField(deregister), clock_.now).ok());
}

class Incarnations : public RegistryTest {};

TEST_F(Incarnations, AreTheTimeOrOneMoreThanTheLast) {
  EXPECT_EQ(Issue("one"), clock_.now.unix_ms);
  EXPECT_EQ(Issue("two"), clock_.now.unix_ms + 1);
  clock_.now.unix_ms -= 3'600'000;  // the clock was set back
  EXPECT_EQ(Issue("three"), clock_.now.unix_ms + 3'600'000 + 2);
}

TEST_F(Incarnations, AreIssuedOnceForALaunch) {
  uint64_t incarnation = Issue("one");
  clock_.Pass(500 * kMs);
  EXPECT_EQ(Issue("one"), incarnation);
}

TEST_F(Incarnations, AReplacedLaunchIsRefusedForGood) {
  Issue("one");
  Issue("two");
  auto late = registry_.Apply(ServerRequest("p", "one", kSizes), clock_.now);
  EXPECT_EQ(ReasonOf(late.status()), Reason::kStaleIncarnation);
  EXPECT_THAT(std::string(late.status().message()), HasSubstr("was replaced by launch two"));
}

TEST_F(Incarnations, AContradictingLaunchIsRefusedByField) {
  Issue("one");
  auto other = ServerRequest("p", "one", kSizes);
  other.set_role(v1::ROLE_DECODE);
  auto answer = registry_.Apply(other, clock_.now);
  EXPECT_EQ(ReasonOf(answer.status()), Reason::kSpecMismatch);
  EXPECT_THAT(std::string(answer.status().message()),
              HasSubstr("role is ROLE_PREFILL, this launch brings ROLE_DECODE"));
  other = ServerRequest("p", "one", {1, 2, 1, 4});
  answer = registry_.Apply(other, clock_.now);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("spec.sizes.tp is 2"));
}

TEST_F(Incarnations, AForgottenLaunchComesBackWithItsNumber) {
  uint64_t incarnation = Issue("one");
  RegisterAll(incarnation);
  Pass(kLease * 12);
  EXPECT_EQ(registry_.Find("p"), nullptr);
  clock_.Pass(1000 * kMs);
  EXPECT_EQ(Issue("one"), incarnation);
  EXPECT_NE(Register(incarnation, {0, 0, 0, 0}), 0u);
}

TEST_F(Incarnations, ANumberThatWasNeverIssuedIsRefused) {
  EXPECT_EQ(Register(0, {0, 0, 0, 0}), 0u);
  EXPECT_THAT(std::string(refused_.message()), HasSubstr("call RegisterServer first"));
  EXPECT_EQ(Register(UINT64_MAX, {0, 0, 0, 0}), 0u);
  EXPECT_EQ(Register(kIncarnationMax, {0, 0, 0, 0}), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kBadSpec);
  EXPECT_EQ(registry_.Find("p"), nullptr);
}

class Epochs : public RegistryTest {};

TEST_F(Epochs, ANewOneReplacesTheEndpointOfItsSlotAlone) {
  uint64_t incarnation = Issue("one");
  std::vector<uint64_t> leases = RegisterAll(incarnation, 1);
  uint64_t fresh = Register(incarnation, {0, 0, 0, 0}, 2);
  EXPECT_NE(fresh, leases[0]);
  EXPECT_EQ(Phase(), ServerPhase::kReady);
  EXPECT_EQ(Renew(1, leases), std::vector<uint64_t>{leases[0]});
  EXPECT_TRUE(Renew(2, {fresh}).empty());
}

TEST_F(Epochs, AReplacedOneDoesNotComeBack) {
  uint64_t incarnation = Issue("one");
  Register(incarnation, {0, 0, 0, 0}, 1);
  Register(incarnation, {0, 0, 0, 0}, 2);
  EXPECT_EQ(Register(incarnation, {0, 0, 0, 0}, 1), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kStaleEpoch);
  EXPECT_EQ(registry_.Find("p")->slots[0].epoch, Epoch(2));
}

TEST_F(Epochs, ALapsedOneComesBackUnlessItWasReplaced) {
  uint64_t incarnation = Issue("one");
  Register(incarnation, {0, 0, 0, 0}, 1);
  Register(incarnation, {0, 0, 0, 1}, 1);
  Pass(kLease + 200 * kMs);
  EXPECT_NE(Register(incarnation, {0, 0, 0, 0}, 1), 0u) << refused_;
  EXPECT_NE(Register(incarnation, {0, 0, 0, 1}, 2), 0u) << refused_;
  EXPECT_EQ(Register(incarnation, {0, 0, 0, 1}, 1), 0u);
}

TEST_F(Epochs, OneAddressEach) {
  uint64_t incarnation = Issue("one");
  Register(incarnation, {0, 0, 0, 0}, 1);
  auto other = RankRequest("p", "one", incarnation, kSizes, {0, 0, 0, 1}, 1);
  other.mutable_rank()->set_agent_address("10.9.9.9:1");
  EXPECT_EQ(Apply(other), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kSpecMismatch);
  EXPECT_THAT(std::string(refused_.message()), HasSubstr("10.9.9.9:1"));
}

TEST_F(Epochs, ALeaseIsRenewedByItsOwnOnly) {
  uint64_t incarnation = Issue("one");
  uint64_t lease = Register(incarnation, {0, 0, 0, 0}, 1);
  EXPECT_EQ(Renew(2, {lease}), std::vector<uint64_t>{lease});
}

class Leases : public RegistryTest {};

TEST_F(Leases, EndOneLeaseTimeAfterTheLastRenewal) {
  uint64_t incarnation = Issue("one");
  std::vector<uint64_t> leases = RegisterAll(incarnation);
  Pass(2000 * kMs);
  EXPECT_TRUE(Renew(1, leases).empty());
  Pass(2900 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kReady);
  Pass(100 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
  EXPECT_EQ(registry_.leases(), 0u);
}

TEST_F(Leases, NoneEndsWhenTheServiceItselfStoodStill) {
  uint64_t incarnation = Issue("one");
  std::vector<uint64_t> leases = RegisterAll(incarnation);
  clock_.Pass(60000 * kMs);
  registry_.Tick(clock_.now);
  EXPECT_EQ(Phase(), ServerPhase::kReady);
  Pass(1000 * kMs);
  EXPECT_TRUE(Renew(1, leases).empty());
  Pass(2900 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kReady);
  Pass(200 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
}

TEST_F(Leases, GivenBackEndAtOnceAndTheServerWithTheLast) {
  uint64_t incarnation = Issue("one");
  std::vector<uint64_t> leases = RegisterAll(incarnation);
  v1::DeregisterRequest request;
  request.add_lease_ids(leases[2]);
  EXPECT_EQ(registry_.Apply(request, clock_.now)->removed(), 1u);
  EXPECT_EQ(registry_.Apply(request, clock_.now)->removed(), 0u);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
  request.mutable_lease_ids()->Add(leases.begin(), leases.end());
  EXPECT_EQ(registry_.Apply(request, clock_.now)->removed(), 3u);
  EXPECT_EQ(registry_.Find("p"), nullptr);
}

TEST_F(Leases, AServerThatNobodyFillsIsForgotten) {
  Issue("one");
  Pass(kLease * 9);
  EXPECT_NE(registry_.Find("p"), nullptr);
  Pass(kLease * 2);
  EXPECT_EQ(registry_.Find("p"), nullptr);
}

class Draining : public RegistryTest {
 protected:
  absl::Status Drain(bool undo, uint64_t incarnation = 0, const std::string& server = "p") {
    v1::DrainRequest request;
    request.set_server(server);
    request.set_undo(undo);
    request.set_incarnation(incarnation);
    return registry_.Apply(request, clock_.now).status();
  }
};

TEST_F(Draining, StaysUntilItIsUndone) {
  uint64_t incarnation = Issue("one");
  std::vector<uint64_t> leases = RegisterAll(incarnation);
  EXPECT_TRUE(Drain(false).ok());
  EXPECT_TRUE(Drain(false).ok());
  EXPECT_EQ(Phase(), ServerPhase::kDraining);
  EXPECT_NE(Register(incarnation, {0, 0, 0, 0}, 2), 0u);
  EXPECT_EQ(Phase(), ServerPhase::kDraining);
  EXPECT_TRUE(Drain(true, incarnation).ok());
  EXPECT_EQ(Phase(), ServerPhase::kReady);
  EXPECT_TRUE(Drain(true).ok());
  Pass(kLease + 200 * kMs);
  EXPECT_TRUE(Drain(false).ok());
  EXPECT_TRUE(Drain(true).ok());
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
}

TEST_F(Draining, OfSomethingElseIsRefused) {
  uint64_t incarnation = Issue("one");
  EXPECT_EQ(ReasonOf(Drain(false, incarnation - 1)), Reason::kStaleIncarnation);
  EXPECT_EQ(ReasonOf(Drain(false, 0, "q")), Reason::kUnknownServer);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
}

class Settling : public RegistryTest {
 protected:
  Settling() : RegistryTest(Limits()) {}
};

TEST_F(Settling, NoIncarnationIsIssuedBeforeALeaseTimeHasPassed) {
  auto early = registry_.Apply(ServerRequest("p", "one", kSizes), clock_.now);
  EXPECT_EQ(ReasonOf(early.status()), Reason::kSettling);
  Pass(kLease);
  EXPECT_NE(Issue("one"), 0u);
}

TEST_F(Settling, RanksBringTheirServerBackProvisional) {
  std::vector<uint64_t> leases = RegisterAll(1'600'000'000'000);
  EXPECT_EQ(Phase(), ServerPhase::kProvisional);
  EXPECT_EQ(Issue("one"), 1'600'000'000'000u);
  Pass(1000 * kMs);
  Renew(1, leases);
  Pass(2000 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kReady);
}

TEST_F(Settling, AServerThatCameBackInPartIsRegisteringAfterwards) {
  Register(1'600'000'000'000, {0, 0, 0, 0});
  Pass(kLease - 100 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kProvisional);
  Pass(100 * kMs);
  EXPECT_EQ(Phase(), ServerPhase::kRegistering);
}

TEST_F(Settling, TheLiveHolderOfASlotIsNotReplaced) {
  Register(1'600'000'000'000, {0, 0, 0, 0}, 1);
  EXPECT_EQ(Register(1'600'000'000'000, {0, 0, 0, 0}, 2), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kSettling);
  Pass(kLease + 100 * kMs);
  EXPECT_NE(Register(1'600'000'000'000, {0, 0, 0, 0}, 2), 0u) << refused_;
}

TEST_F(Settling, TheNewerOfTwoStartsWinsInWhateverOrderTheyCome) {
  Register(1'600'000'000'000, {0, 0, 0, 0}, 1, "zombie");
  EXPECT_NE(Register(1'600'000'000'001, {0, 0, 0, 0}, 2, "living"), 0u) << refused_;
  EXPECT_EQ(Register(1'600'000'000'000, {0, 0, 0, 1}, 1, "zombie"), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kStaleIncarnation);
  EXPECT_EQ(registry_.Find("p")->identity.launch_id, "living");
}

TEST_F(Settling, OneNumberIsOneLaunch) {
  Register(1'600'000'000'000, {0, 0, 0, 0}, 1, "one");
  EXPECT_EQ(Register(1'600'000'000'000, {0, 0, 0, 1}, 1, "two"), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kSpecMismatch);
  EXPECT_THAT(std::string(refused_.message()), HasSubstr("launch_id is one"));
}

}  // namespace
}  // namespace baton::registry
