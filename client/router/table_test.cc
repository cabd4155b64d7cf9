#include "client/router/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "client/router/testing.h"
#include "common/reason.h"

namespace baton::router {
namespace {

using router_testing::Decode;
using router_testing::Prefill;
using router_testing::RecordOf;
using router_testing::ServerShape;
using router_testing::Share;
using ::testing::HasSubstr;

TableOptions Options() {
  TableOptions options;
  options.seed = 11;
  options.room_nonce = 5;
  return options;
}

class TableTest : public ::testing::Test {
 protected:
  absl::StatusOr<Route> Pick(Policy policy = Policy::kRoundRobin) {
    PickRequest request;
    request.model = "m";
    request.policy = policy;
    return table_.Pick(request);
  }
  std::string Prefilled(Policy policy) { return Pick(policy)->prefill.server->name(); }
  std::string Decoded(Policy policy) { return Pick(policy)->decode.server->name(); }
  void Add(ServerShape server) { table_.Update(Share(server)); }

  Table table_{Options()};
};

TEST_F(TableTest, PicksBothLegsAndARoom) {
  table_.Update(Prefill("p"));
  table_.Update(Decode("d"));
  auto route = Pick();
  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->prefill.server->name(), "p");
  EXPECT_EQ(route->decode.server->name(), "d");
  EXPECT_EQ(route->room.nonce, 5u);
  EXPECT_NE(Pick()->room, route->room);
}

TEST_F(TableTest, GivesEachDpRankItsTurn) {
  table_.Update(Prefill("p", {"bf16", 3, 1}));
  table_.Update(Decode("d", {"bf16", 2, 1}));
  std::map<uint32_t, int> prefill, decode;
  for (int i = 0; i < 12; ++i) {
    auto route = Pick(Policy::kPowerOfTwo);
    ++prefill[route->prefill.dp];
    ++decode[route->decode.dp];
  }
  EXPECT_THAT(prefill, ::testing::ElementsAre(std::pair(0, 4), std::pair(1, 4), std::pair(2, 4)));
  EXPECT_THAT(decode, ::testing::ElementsAre(std::pair(0, 6), std::pair(1, 6)));
}

TEST_F(TableTest, SaysHowManyAreReadyWhenNoneIs) {
  table_.Update(Prefill("p"));
  ServerShape decode{"d", v1::ROLE_DECODE};
  decode.state = v1::SERVER_STATE_REGISTERING;
  Add(decode);
  auto route = Pick();
  EXPECT_EQ(ReasonOf(route.status()), Reason::kNotReady);
  EXPECT_EQ(route.status().message(),
            "model \"m\": 1 of 1 prefill servers and 0 of 1 decode servers are ready");
}

TEST_F(TableTest, NamesTheFieldThatKeepsReadyServersApart) {
  table_.Update(Prefill("p"));
  table_.Update(Decode("d", {"fp8", 1, 1}));
  auto route = Pick();
  EXPECT_EQ(ReasonOf(route.status()), Reason::kIncompatible);
  EXPECT_THAT(std::string(route.status().message()),
              HasSubstr("prefill p has bf16, decode d has fp8"));
}

TEST_F(TableTest, AServerIsOfferedOnlyWhileItIsReady) {
  table_.Update(Prefill("p"));
  table_.Update(Decode("d"));
  ServerShape shape{"d", v1::ROLE_DECODE};
  for (v1::ServerState state :
       {v1::SERVER_STATE_DRAINING, v1::SERVER_STATE_REGISTERING, v1::SERVER_STATE_PROVISIONAL}) {
    shape.state = state;
    Add(shape);
    EXPECT_FALSE(Pick().ok());
    shape.state = v1::SERVER_STATE_READY;
    Add(shape);
    EXPECT_TRUE(Pick().ok());
  }
  table_.Remove("d");
  EXPECT_FALSE(Pick().ok());
  EXPECT_EQ(table_.Find("d"), nullptr);
}

TEST_F(TableTest, ANewStartWithAnotherLayoutIsComparedAnew) {
  table_.Update(Prefill("p"));
  table_.Update(Decode("d"));
  EXPECT_TRUE(Pick().ok());
  v1::ServerRecord next = RecordOf({"d", v1::ROLE_DECODE, "m", {"fp8", 1, 1}});
  next.set_incarnation(2);
  table_.Update(std::make_shared<const v1::ServerRecord>(next));
  EXPECT_EQ(ReasonOf(Pick().status()), Reason::kIncompatible);
  v1::ServerRecord prefill = RecordOf({"p", v1::ROLE_PREFILL, "m", {"fp8", 1, 1}});
  prefill.set_incarnation(2);
  table_.Update(std::make_shared<const v1::ServerRecord>(prefill));
  EXPECT_TRUE(Pick().ok());
}

TEST_F(TableTest, ASpecThatCannotBeIsNeverOffered) {
  table_.Update(Prefill("p"));
  v1::ServerRecord bad = RecordOf({"d", v1::ROLE_DECODE});
  bad.mutable_spec()->mutable_tensors(0)->set_page_group(7);
  table_.Update(std::make_shared<const v1::ServerRecord>(bad));
  EXPECT_EQ(ReasonOf(Pick().status()), Reason::kBadSpec);
  v1::ServerRecord roleless = RecordOf({"d", v1::ROLE_UNSPECIFIED});
  table_.Update(std::make_shared<const v1::ServerRecord>(roleless));
  EXPECT_FALSE(Pick().ok());
}

TEST_F(TableTest, LeastLoadedFollowsTheReports) {
  table_.Update(Decode("d"));
  for (uint32_t i = 0; i < 4; ++i) {
    ServerShape shape{"p" + std::to_string(i)};
    shape.rooms = 30 + 10 * i;
    Add(shape);
  }
  EXPECT_EQ(Prefilled(Policy::kLeastLoaded), "p0");
  ServerShape shape{"p0"};
  shape.rooms = 100;
  Add(shape);
  EXPECT_EQ(Prefilled(Policy::kLeastLoaded), "p1");
}

TEST_F(TableTest, WhatWasPickedCountsUntilItHasAged) {
  table_.Update(Decode("d"));
  table_.Update(Prefill("a"));
  ServerShape other{"b"};
  other.rooms = 10;
  Add(other);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Prefilled(Policy::kLeastLoaded), "a");
  std::set<std::string> both;
  for (int i = 0; i < 4; ++i) both.insert(Prefilled(Policy::kLeastLoaded));
  EXPECT_EQ(both.size(), 2u);
  table_.Age();
  table_.Age();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Prefilled(Policy::kLeastLoaded), "a");
}

TEST_F(TableTest, LoadIsCountedForEachDpRank) {
  table_.Update(Decode("d"));
  ServerShape wide{"wide"};
  wide.shape.dp = 8;
  wide.rooms = 40;
  Add(wide);
  ServerShape narrow{"narrow"};
  narrow.rooms = 10;
  Add(narrow);
  EXPECT_EQ(Prefilled(Policy::kLeastLoaded), "wide");
}

TEST_F(TableTest, AnUnwellServerComesLast) {
  table_.Update(Decode("d"));
  v1::ServerRecord unwell = RecordOf({"unwell"});
  unwell.mutable_load()->set_healthy(false);
  table_.Update(std::make_shared<const v1::ServerRecord>(unwell));
  EXPECT_EQ(Prefilled(Policy::kLeastLoaded), "unwell");
  ServerShape busy{"busy"};
  busy.rooms = 1000;
  Add(busy);
  for (Policy policy : {Policy::kLeastLoaded, Policy::kPowerOfTwo, Policy::kLocality}) {
    EXPECT_EQ(Prefilled(policy), "busy");
  }
}

TEST_F(TableTest, OneKeyGoesToOnePairInEveryRouter) {
  TableOptions options = Options();
  options.seed = 99;
  Table other(options);
  for (int i = 0; i < 20; ++i) {
    for (Table* table : {&table_, &other}) {
      table->Update(Prefill("p" + std::to_string(i), {"bf16", 4, 1}));
      table->Update(Decode("d" + std::to_string(table == &other ? 19 - i : i)));
    }
  }
  std::set<std::string> prefills, decodes;
  for (int key = 0; key < 200; ++key) {
    const std::string text = std::to_string(key);
    PickRequest request;
    request.model = "m";
    request.policy = Policy::kConsistentHash;
    request.prefix_key = text;
    auto first = table_.Pick(request);
    prefills.insert(first->prefill.server->name());
    decodes.insert(first->decode.server->name());
    for (Table* table : {&table_, &other}) {
      auto again = table->Pick(request);
      EXPECT_EQ(again->prefill.server->name(), first->prefill.server->name());
      EXPECT_EQ(again->decode.server->name(), first->decode.server->name());
      EXPECT_EQ(again->prefill.dp, first->prefill.dp);
    }
  }
  EXPECT_EQ(prefills.size(), 20u);
  EXPECT_EQ(decodes.size(), 20u);
}

TEST_F(TableTest, NearbyServersAreTakenTogether) {
  TableOptions options = Options();
  options.here = {{"zone", "z1"}};
  Table table(options);
  for (const char* zone : {"z0", "z1"}) {
    for (const char* rack : {"r0", "r1"}) {
      for (const char* role : {"p", "d"}) {
        ServerShape shape{std::string(role) + zone + rack};
        shape.role = *role == 'p' ? v1::ROLE_PREFILL : v1::ROLE_DECODE;
        shape.labels = {{"zone", zone}, {"rack", rack}};
        // Far ones are idle, which must not draw anything there.
        shape.rooms = absl::string_view(zone) == "z0" ? 0 : 500;
        table.Update(Share(shape));
      }
    }
  }
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    PickRequest request;
    request.model = "m";
    request.policy = Policy::kLocality;
    auto route = table.Pick(request);
    seen.insert(route->prefill.server->name());
    EXPECT_EQ(route->prefill.server->name().substr(1), route->decode.server->name().substr(1));
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("pz1r0", "pz1r1"));
  for (const char* name : {"dz1r0", "dz1r1"}) table.Remove(name);
  PickRequest request;
  request.model = "m";
  request.policy = Policy::kLocality;
  EXPECT_EQ(table.Pick(request)->decode.server->name().substr(0, 3), "dz0");
}

TEST_F(TableTest, ServersOfTwoRevisionsAreNoPair) {
  ServerShape prefill{"p-new"};
  prefill.role = v1::ROLE_PREFILL;
  prefill.labels = {{"revision", "r2"}};
  ServerShape decode{"d-old"};
  decode.role = v1::ROLE_DECODE;
  decode.labels = {{"revision", "r1"}};
  table_.Update(Share(prefill));
  table_.Update(Share(decode));
  PickRequest request;
  request.model = "m";
  EXPECT_FALSE(table_.Pick(request).ok());
  decode.name = "d-new";
  decode.labels = {{"revision", "r2"}};
  table_.Update(Share(decode));
  for (int i = 0; i < 4; ++i) {
    auto route = table_.Pick(request);
    ASSERT_TRUE(route.ok()) << route.status();
    EXPECT_EQ(route->decode.server->name(), "d-new");
  }
}

TEST_F(TableTest, ServersOfTwoEnginesAreNoPair) {
  ServerShape server{"p-vllm", v1::ROLE_PREFILL};
  server.labels = {{"engine", "vllm"}};
  table_.Update(Share(server));
  for (const char* engine : {"sglang", "vllm"}) {
    server = {std::string("d-") + engine, v1::ROLE_DECODE};
    server.labels = {{"engine", engine}};
    table_.Update(Share(server));
  }
  PickRequest request;
  request.model = "m";
  for (int i = 0; i < 4; ++i) {
    auto route = table_.Pick(request);
    ASSERT_TRUE(route.ok()) << route.status();
    EXPECT_EQ(route->decode.server->name(), "d-vllm");
  }
  table_.Remove("d-vllm");
  EXPECT_FALSE(table_.Pick(request).ok());
}

TEST_F(TableTest, WhatARequestFailedOnIsPassedOver) {
  table_.Update(Prefill("old", {"fp8", 1, 1}));
  table_.Update(Prefill("new"));
  table_.Update(Decode("d-old", {"fp8", 1, 1}));
  table_.Update(Decode("d-new"));
  PickRequest request;
  request.model = "m";
  for (Policy policy : {Policy::kRoundRobin, Policy::kPowerOfTwo, Policy::kLeastLoaded,
                        Policy::kConsistentHash, Policy::kLocality}) {
    request.policy = policy;
    const std::vector<std::string> avoid = {"d-old", "unknown"};
    request.avoid = avoid;
    for (int i = 0; i < 20; ++i) EXPECT_EQ(table_.Pick(request)->prefill.server->name(), "new");
    const std::vector<std::string> all = {"d-old", "d-new"};
    request.avoid = all;
    EXPECT_EQ(ReasonOf(table_.Pick(request).status()), Reason::kNotReady);
  }
}

TEST_F(TableTest, ModelsAreAWorldOfTheirOwn) {
  table_.Update(Prefill("p"));
  ServerShape decode{"d", v1::ROLE_DECODE};
  decode.model = "other";
  Add(decode);
  EXPECT_EQ(ReasonOf(Pick().status()), Reason::kNotReady);
}

}  // namespace
}  // namespace baton::router
