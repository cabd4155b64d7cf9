// Other names of servers: unique, found, and taken over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/testing.h"
#include "bootstrap_service/registry/view.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr RankCoord kOne{1, 1, 1, 1};
constexpr RankCoord kTwo{1, 1, 1, 2};

using Aliases = std::vector<std::string>;

class AliasTest : public ::testing::Test {
 protected:
  AliasTest() : registry_(SettledLimits(), 77, clock_.now) {}
  static Limits SettledLimits() {
    Limits limits;
    limits.settle = Duration::zero();
    return limits;
  }

  // The incarnation; 0 when refused (then `refused_` says why).
  uint64_t Start(const std::string& name, const std::string& launch, const Aliases& aliases,
                 const RankCoord& sizes = kOne) {
    auto request = ServerRequest(name, launch, sizes);
    request.mutable_aliases()->Add(aliases.begin(), aliases.end());
    auto answer = registry_.Apply(request, clock_.now);
    refused_ = answer.status();
    return answer.ok() ? answer->incarnation() : 0;
  }
  // The lease.
  uint64_t Join(const std::string& name, const std::string& launch, uint64_t incarnation,
                const Aliases& aliases, const RankCoord& sizes = kOne, uint32_t tp = 0) {
    auto request = RankRequest(name, launch, incarnation, sizes, {0, 0, 0, tp}, 5);
    request.mutable_aliases()->Add(aliases.begin(), aliases.end());
    auto answer = registry_.Apply(request, clock_.now);
    refused_ = answer.status();
    return answer.ok() ? answer->lease_id() : 0;
  }
  void Pass(Duration time) {
    for (Duration done{}; done < time; done += 100 * kMs) {
      clock_.Pass(100 * kMs);
      registry_.Tick(clock_.now);
    }
  }
  std::string Found(const std::string& name) const {
    const Server* server = registry_.Resolve(name);
    return server == nullptr ? "" : *server->name;
  }
  void ExpectHeldBy(const std::string& server) {
    EXPECT_EQ(ReasonOf(refused_), Reason::kAliasHeld) << refused_;
    EXPECT_THAT(std::string(refused_.message()), HasSubstr("belongs to server " + server));
  }

  TestClock clock_;
  Registry registry_;
  absl::Status refused_;
};

TEST_F(AliasTest, FindsAServerByEachOfItsNamesAndListsThem) {
  ASSERT_NE(Start("p", "one", {"10.0.0.1:8998", "[::1]:8998"}), 0u) << refused_;
  EXPECT_EQ(Found("p"), "p");
  EXPECT_EQ(Found("10.0.0.1:8998"), "p");
  EXPECT_EQ(Found("[::1]:8998"), "p");
  EXPECT_EQ(Found("10.0.0.2:8998"), "");
  EXPECT_THAT(RecordOf(*registry_.Find("p"), 77).aliases(),
              ElementsAre("10.0.0.1:8998", "[::1]:8998"));
}

TEST_F(AliasTest, AddsWhatAnyRankBringsAndTellsWatchersTheWholeServer) {
  const uint64_t incarnation = Start("p", "one", {}, kTwo);
  ASSERT_NE(Join("p", "one", incarnation, {"a"}, kTwo, 0), 0u) << refused_;
  const uint64_t before = registry_.changes().latest();
  ASSERT_NE(Join("p", "one", incarnation, {"b"}, kTwo, 1), 0u) << refused_;
  EXPECT_EQ(Found("a"), "p");
  EXPECT_EQ(Found("b"), "p");
  bool whole = false;
  for (uint64_t n = before + 1; n <= registry_.changes().latest(); ++n) {
    whole |= registry_.changes().at(n).kind == ChangeKind::kWhole;
  }
  EXPECT_TRUE(whole);
  // The same again changes nothing.
  const uint64_t after = registry_.changes().latest();
  ASSERT_NE(Join("p", "one", incarnation, {"b"}, kTwo, 1), 0u);
  EXPECT_EQ(registry_.changes().latest(), after);
}

TEST_F(AliasTest, RefusesAnotherServersAliasAndNamesTheServer) {
  const uint64_t incarnation = Start("p", "one", {"a"});
  ASSERT_NE(Join("p", "one", incarnation, {"a"}), 0u);
  EXPECT_EQ(Start("q", "one", {"b", "a"}), 0u);
  ExpectHeldBy("p");
  EXPECT_EQ(Found("b"), "") << "a refused command changes nothing";
  EXPECT_EQ(registry_.Find("q"), nullptr);
  // Nor by a rank of a server that is here.
  const uint64_t q = Start("q", "one", {});
  EXPECT_EQ(Join("q", "one", q, {"a"}), 0u);
  ExpectHeldBy("p");
}

TEST_F(AliasTest, RefusesANameThatIsAnAliasAndAnAliasThatIsAName) {
  const uint64_t incarnation = Start("p", "one", {"a"});
  ASSERT_NE(Join("p", "one", incarnation, {}), 0u);
  EXPECT_EQ(Start("a", "one", {}), 0u);
  ExpectHeldBy("p");
  EXPECT_EQ(Start("q", "one", {"p"}), 0u);
  ExpectHeldBy("p");
  // Its own name is none that needs holding.
  EXPECT_NE(Start("r", "one", {"r"}), 0u) << refused_;
  EXPECT_TRUE(registry_.Find("r")->aliases.empty());
}

TEST_F(AliasTest, ALaterStartOfTheServerTakesItsAliasesOver) {
  const uint64_t first = Start("p", "one", {"a", "b"});
  ASSERT_NE(Join("p", "one", first, {}), 0u);
  const uint64_t second = Start("p", "two", {"a"});
  ASSERT_GT(second, first) << refused_;
  EXPECT_EQ(Found("a"), "p");
  EXPECT_EQ(Found("b"), "") << "the former start's";
}

TEST_F(AliasTest, AServerThatLeavesLetsGoOfItsAliases) {
  const uint64_t lease = Join("p", "one", Start("p", "one", {"a"}), {});
  v1::DeregisterRequest leave;
  leave.add_lease_ids(lease);
  ASSERT_TRUE(registry_.Apply(leave, clock_.now).ok());
  EXPECT_EQ(Found("a"), "");
  EXPECT_NE(Start("q", "one", {"a"}), 0u) << refused_;
  EXPECT_EQ(Found("a"), "q");
}

TEST_F(AliasTest, AServerWhoseRanksAreDeadLosesItsAliasesToWhoClaimsThem) {
  ASSERT_NE(Join("p", "one", Start("p", "one", {"a"}), {}), 0u);
  Pass(kLease + 500 * kMs);  // the lease ends
  ASSERT_TRUE(registry_.Find("p")->live.empty());
  EXPECT_EQ(Start("q", "one", {"a"}), 0u);
  ExpectHeldBy("p");
  Pass(kLease);
  ASSERT_NE(registry_.Find("p"), nullptr) << "it is remembered still";
  EXPECT_NE(Start("q", "one", {"a"}), 0u) << refused_;
  EXPECT_EQ(Found("a"), "q");
  EXPECT_TRUE(registry_.Find("p")->aliases.empty());
  // And its return does not bring them back while the other is there.
  ASSERT_NE(Join("q", "one", registry_.Find("q")->incarnation.value(), {"a"}), 0u);
  EXPECT_EQ(Join("p", "one", registry_.Find("p")->incarnation.value(), {"a"}), 0u);
  ExpectHeldBy("q");
}

TEST_F(AliasTest, AServerThatIsRebuiltFromItsRanksHasItsAliases) {
  Registry restarted(Limits(), 78, clock_.now);
  auto request = RankRequest("p", "one", 1'600'000'000'000, kOne, {}, 5);
  request.add_aliases("a");
  ASSERT_TRUE(restarted.Apply(request, clock_.now).ok());
  ASSERT_NE(restarted.Resolve("a"), nullptr);
}

TEST_F(AliasTest, RefusesTooManyAndTextThatNoNameHas) {
  Aliases many;
  for (int i = 0; i < 17; ++i) many.push_back(absl::StrCat("a", i));
  EXPECT_EQ(Start("p", "one", many), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kTooLarge);
  many.pop_back();
  EXPECT_NE(Start("p", "one", many), 0u) << refused_;
  EXPECT_EQ(Start("p", "one", {"one more"}), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kBadSpec);
  EXPECT_EQ(Start("p", "one", {"more"}), 0u);
  EXPECT_EQ(ReasonOf(refused_), Reason::kTooLarge);
  EXPECT_EQ(Start("p", "one", {""}), 0u);
  EXPECT_EQ(Start("p", "one", {"a\n"}), 0u);
}

TEST_F(AliasTest, DrainsByAlias) {
  ASSERT_NE(Join("p", "one", Start("p", "one", {"a"}), {}), 0u);
  v1::DrainRequest drain;
  drain.set_server("a");
  ASSERT_TRUE(registry_.Apply(drain, clock_.now).ok());
  EXPECT_EQ(registry_.Find("p")->phase.state(), ServerPhase::kDraining);
}

}  // namespace
}  // namespace baton::registry
