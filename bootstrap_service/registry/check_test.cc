#include "bootstrap_service/registry/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/match.h"
#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/testing.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

using ::testing::HasSubstr;

constexpr RankCoord kSizes{1, 1, 1, 2};
using Change = std::function<void(v1::RegisterRankRequest*)>;

absl::Status Refusal(const Change& change) {
  auto request = RankRequest("p", "one", 5, kSizes, {0, 0, 0, 1}, 1);
  change(&request);
  return CheckRequest(request, Limits());
}

TEST(CheckRequest, AcceptsWhatIsWellFormed) {
  EXPECT_TRUE(Refusal([](auto*) {}).ok());
  EXPECT_TRUE(Refusal([](auto* r) { r->set_server("a.b/c-d_e:1@x"); }).ok());
  EXPECT_TRUE(Refusal([](auto* r) { r->mutable_rank()->set_agent_address("[::1]:80"); }).ok());
}

TEST(CheckRequest, NamesTheFieldAndTheRankOfWhatIsNot) {
  struct Case {
    Reason reason;
    std::string says;
    Change change;
  };
  const Case kCases[] = {
      {Reason::kBadSpec, "server: is missing", [](auto* r) { r->clear_server(); }},
      {Reason::kBadSpec, "server: has a character", [](auto* r) { r->set_server("a b"); }},
      {Reason::kTooLarge, "server: 129 bytes, at most 128",
       [](auto* r) { r->set_server(std::string(129, 'a')); }},
      {Reason::kBadSpec, "launch_id: is missing", [](auto* r) { r->clear_launch_id(); }},
      {Reason::kBadSpec, "launch_id: contains a control character",
       [](auto* r) { r->set_launch_id("a\nb"); }},
      {Reason::kBadSpec, "role: 0", [](auto* r) { r->clear_role(); }},
      {Reason::kBadSpec, "role: 9", [](auto* r) { r->set_role(static_cast<v1::Role>(9)); }},
      {Reason::kTooLarge, "model: ", [](auto* r) { r->set_model(std::string(9999, 'm')); }},
      {Reason::kBadSpec, "spec.sizes: dp0/pp0/cp0/tp0", [](auto* r) { r->clear_spec(); }},
      {Reason::kBadSpec,
       "spec.sizes: ", [](auto* r) { r->mutable_spec()->mutable_sizes()->set_tp(65537); }},
      {Reason::kBadSpec, "spec.sizes: ",
       [](auto* r) {
         SetProto({1u << 31, 1u << 31, 4, 1}, r->mutable_spec()->mutable_sizes());
       }},
      {Reason::kTooLarge, "spec: ",
       [](auto* r) {
         r->mutable_spec()->mutable_tensors(0)->set_name(std::string(kSpecBytesMax, 'n'));
       }},
      {Reason::kBadSpec, "incarnation: 0", [](auto* r) { r->clear_incarnation(); }},
      {Reason::kBadSpec, "rank: is missing", [](auto* r) { r->clear_rank(); }},
      {Reason::kBadSpec, "rank.epoch: is missing",
       [](auto* r) { r->mutable_rank()->clear_epoch(); }},
      {Reason::kBadSpec, "rank.agent_address: is missing",
       [](auto* r) { r->mutable_rank()->clear_agent_address(); }},
      {Reason::kBadSpec, "rank.agent_address: 'host' is not host:port",
       [](auto* r) { r->mutable_rank()->set_agent_address("host"); }},
      {Reason::kBadSpec, "rank.agent_address: 'h:0'",
       [](auto* r) { r->mutable_rank()->set_agent_address("h:0"); }},
      {Reason::kBadCoord, "rank dp0/pp0/cp0/tp2 is outside of the server's sizes dp1/pp1/cp1/tp2",
       [](auto* r) { r->mutable_rank()->mutable_coord()->set_tp(2); }},
      {Reason::kTooLarge, "labels: 65",
       [](auto* r) {
         for (int i = 0; i < 65; ++i) (*r->mutable_labels())[absl::StrCat(i)] = "";
       }},
      {Reason::kTooLarge, "labels[k]",
       [](auto* r) { (*r->mutable_labels())["k"] = std::string(999, 'v'); }},
  };
  for (const Case& c : kCases) {
    absl::Status status = Refusal(c.change);
    EXPECT_EQ(ReasonOf(status), c.reason) << c.says;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.says));
    EXPECT_TRUE(RankOf(status).has_value() || absl::StartsWith(c.says, "server")) << c.says;
  }
}

TEST(CheckRequest, ASpecThatCannotBeIsRefusedByTheFirstWhoBringsIt) {
  TestClock clock;
  Limits limits;
  limits.settle = Duration::zero();
  Registry registry(limits, 1, clock.now);
  auto server = ServerRequest("a", "l", {1, 2, 1, 2});
  server.mutable_spec()->mutable_stages(1)->set_layers(0, 0);
  auto refused = registry.Apply(server, clock.now).status();
  EXPECT_EQ(ReasonOf(refused), Reason::kBadSpec);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("spec: stages[1].layers: layer 0"));
  auto rank = RankRequest("a", "l", 5, {1, 2, 1, 2}, {0, 1, 0, 1}, 1);
  rank.mutable_spec()->mutable_tensors(0)->set_heads(0);
  refused = registry.Apply(rank, clock.now).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("tensors[0].heads"));
  EXPECT_EQ(RankOf(refused), (RankRef{"a", {0, 1, 0, 1}}));
  EXPECT_EQ(registry.Find("a"), nullptr);
}

TEST(RegistryLimits, AreNamedByTheirFlag) {
  TestClock clock;
  Limits limits;
  limits.settle = Duration::zero();
  limits.servers = 2;
  limits.ranks = 100;
  Registry registry(limits, 1, clock.now);
  EXPECT_TRUE(registry.Apply(ServerRequest("a", "l", {1, 1, 1, 60}), clock.now).ok());
  auto ranks = registry.Apply(ServerRequest("b", "l", {1, 1, 1, 60}), clock.now);
  EXPECT_EQ(ReasonOf(ranks.status()), Reason::kTooLarge);
  EXPECT_THAT(std::string(ranks.status().message()), HasSubstr("--max_ranks is 100"));
  // A start that replaces one gets its slots.
  EXPECT_TRUE(registry.Apply(ServerRequest("a", "m", {1, 1, 1, 90}), clock.now).ok());
  EXPECT_TRUE(registry.Apply(ServerRequest("b", "l", {1, 1, 1, 1}), clock.now).ok());
  auto servers = registry.Apply(ServerRequest("c", "l", {1, 1, 1, 1}), clock.now);
  EXPECT_THAT(std::string(servers.status().message()), HasSubstr("--max_servers is 2"));
}

// 600 servers with the largest specs took 661 MB, and no list of them fitted into a message.
TEST(RegistryLimits, SpecsOfAllServersHaveOneBudget) {
  TestClock clock;
  Limits limits;
  limits.settle = Duration::zero();
  const size_t one = ServerRequest("a", "l", {1, 1, 1, 1}).spec().ByteSizeLong();
  limits.spec_bytes = 2 * one;
  Registry registry(limits, 1, clock.now);
  EXPECT_TRUE(registry.Apply(ServerRequest("a", "l", {1, 1, 1, 1}), clock.now).ok());
  EXPECT_TRUE(registry.Apply(ServerRequest("b", "l", {1, 1, 1, 1}), clock.now).ok());
  auto third = registry.Apply(ServerRequest("c", "l", {1, 1, 1, 1}), clock.now);
  EXPECT_EQ(ReasonOf(third.status()), Reason::kTooLarge);
  EXPECT_THAT(std::string(third.status().message()), HasSubstr("--max_spec_bytes is"));
  // A start that replaces one gets its bytes.
  EXPECT_TRUE(registry.Apply(ServerRequest("a", "m", {1, 1, 1, 1}), clock.now).ok());
}

}  // namespace
}  // namespace baton::registry
