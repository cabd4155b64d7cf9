#include "bootstrap_service/page/status_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace baton::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kHostile[] = "<script>x</script>\"'&\x01\xff";

size_t Times(const std::string& text, const std::string& what) {
  size_t times = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++times;
  return times;
}

struct Sizes {
  uint32_t dp, pp, cp, tp;
};

// Every slot but the last `missing` is live.
v1::ServerRecord Server(const std::string& name, Sizes sizes, uint32_t missing = 0) {
  v1::ServerRecord server;
  server.set_name(name);
  server.set_incarnation(1700000000123);
  server.set_role(v1::ROLE_PREFILL);
  server.set_model("model-1");
  server.set_state(missing == 0 ? v1::SERVER_STATE_READY : v1::SERVER_STATE_REGISTERING);
  v1::RankCoord* all = server.mutable_spec()->mutable_sizes();
  all->set_dp(sizes.dp);
  all->set_pp(sizes.pp);
  all->set_cp(sizes.cp);
  all->set_tp(sizes.tp);
  const uint64_t slots = uint64_t{sizes.dp} * sizes.pp * sizes.cp * sizes.tp;
  for (uint64_t i = 0; i + missing < slots; ++i) {
    v1::RankRecord* rank = server.add_ranks();
    rank->mutable_coord()->set_tp(i % sizes.tp);
    rank->mutable_coord()->set_cp(i / sizes.tp % sizes.cp);
    rank->mutable_coord()->set_pp(i / sizes.tp / sizes.cp % sizes.pp);
    rank->mutable_coord()->set_dp(i / sizes.tp / sizes.cp / sizes.pp);
    rank->set_epoch(0xabc);
    rank->set_agent_address("10.0.0.1:7000");
  }
  server.set_missing_count(missing);
  server.mutable_load()->set_healthy(true);
  return server;
}

PageInput Input(std::vector<v1::ServerRecord> servers) {
  PageInput input;
  input.address = "127.0.0.1:7411";
  input.health.ready = true;
  input.servers = std::move(servers);
  return input;
}

TEST(BootstrapPage, AServerIsAGridOfItsRanksWithStateAndIncarnation) {
  const std::string html = StatusPage(Input({Server("prefill-a", {1, 2, 2, 4}, 1)}));
  EXPECT_THAT(html, HasSubstr("<h2>prefill-a <b class=registering>registering</b></h2>"));
  EXPECT_THAT(html, HasSubstr("incarnation 1700000000123, 15 of 16 ranks live"));
  EXPECT_EQ(Times(html, "<table class=grid>"), 2u);
  EXPECT_EQ(Times(html, "<td class=registering title=\"dp0"), 15u);
  EXPECT_THAT(html, HasSubstr("<td class=missing title=\"dp0/pp1/cp1/tp3: no live lease\">-</td>"));
  EXPECT_THAT(html, HasSubstr("title=\"dp0/pp0/cp1/tp2: incarnation 1700000000123, epoch abc, "
                              "agent 10.0.0.1:7000\""));
}

TEST(BootstrapPage, WhateverAServerCallsItselfIsOnlyText) {
  v1::ServerRecord server = Server(kHostile, {1, 1, 1, 2});
  server.set_model(kHostile);
  server.mutable_ranks(0)->set_agent_address(kHostile);
  PageInput input = Input({server, Server("big", {1, 1, 64, 64})});
  input.address = kHostile;
  input.health.ready = false;
  input.health.why = kHostile;
  for (const char* only : {"", kHostile, "big"}) {
    input.only = only;
    const std::string html = StatusPage(input);
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("\"'&")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;x&lt;/script&gt;&quot;&#39;&amp;??"));
  }
}

TEST(BootstrapPage, IsBoundedWhateverIsRegistered) {
  std::vector<v1::ServerRecord> servers;
  for (int i = 0; i < 1000; ++i) servers.push_back(Server(absl::StrCat("s", i), {4, 1, 1, 8}));
  std::string html = StatusPage(Input(servers));
  EXPECT_LT(html.size(), kPageBytesMax);
  EXPECT_THAT(html, HasSubstr("1000 servers, 32000 ranks live"));
  EXPECT_THAT(html, HasSubstr("more are not shown: batonctl server list"));

  servers.clear();
  for (int i = 0; i < 4096; ++i) {
    v1::ServerRecord server = Server(std::string(128, '\''), {1, 1, 1, 1});
    server.set_model(std::string(256, '"'));
    servers.push_back(server);
  }
  EXPECT_LT(StatusPage(Input(servers)).size(), kPageBytesMax);
}

TEST(BootstrapPage, AnyShapeOfServerFits) {
  for (const Sizes& sizes : {Sizes{2048, 1, 1, 1}, Sizes{1, 1, 2048, 1}, Sizes{1, 1, 1, 2048},
                             Sizes{65536, 1, 1, 1}, Sizes{1, 1, 256, 256}, Sizes{1, 1, 1, 256}}) {
    v1::ServerRecord server = Server("s", sizes, 7);
    for (v1::RankRecord& rank : *server.mutable_ranks()) {
      rank.set_agent_address(std::string(256, '"'));
    }
    PageInput input = Input({server});
    EXPECT_LT(StatusPage(input).size(), kPageBytesMax);
    input.only = "s";
    EXPECT_LT(StatusPage(input).size(), kPageBytesMax);
  }
}

TEST(BootstrapPage, OneServerCanBeAskedFor) {
  PageInput input = Input({Server("a", {1, 1, 1, 1}), Server("b", {1, 1, 1, 1})});
  input.only = "b";
  const std::string html = StatusPage(input);
  EXPECT_THAT(html, HasSubstr("<h2>b "));
  EXPECT_THAT(html, Not(HasSubstr("<h2>a ")));
  input.only = "nobody";
  EXPECT_THAT(StatusPage(input), HasSubstr("No server nobody is listed."));
}

TEST(BootstrapPage, SaysWhyItIsNotReadyAndThatItSettles) {
  PageInput input = Input({});
  EXPECT_THAT(StatusPage(input), HasSubstr("No server is registered."));
  EXPECT_THAT(StatusPage(input), Not(HasSubstr("Settling")));
  input.settled = false;
  input.health.ready = false;
  input.health.why = "the service is stopping";
  EXPECT_THAT(StatusPage(input), HasSubstr("Settling"));
  EXPECT_THAT(StatusPage(input), HasSubstr("not ready: the service is stopping"));
}

}  // namespace
}  // namespace baton::registry
