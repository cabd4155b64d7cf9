// Random lives of a cluster. After every change, whatever the policy: a picked pair is ready and
// fits, there is one whenever any pair is ready and fits, and load stays where it belongs.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "client/router/explain.h"
#include "client/router/random.h"
#include "client/router/table.h"
#include "client/router/testing.h"

namespace baton::router {
namespace {

using router_testing::RecordOf;
using router_testing::ServerShape;

constexpr Policy kPolicies[] = {Policy::kRoundRobin, Policy::kPowerOfTwo, Policy::kLeastLoaded,
                                Policy::kConsistentHash, Policy::kLocality};
constexpr v1::ServerState kStates[] = {v1::SERVER_STATE_READY, v1::SERVER_STATE_READY,
                                       v1::SERVER_STATE_READY, v1::SERVER_STATE_DRAINING,
                                       v1::SERVER_STATE_REGISTERING};

// The cluster as a plain map beside the table.
class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed) {
    TableOptions options;
    options.seed = seed;
    options.here = {{"zone", "0"}};
    table_ = std::make_unique<Table>(options);
  }

  void Change() {
    const std::string name = "s" + std::to_string(random_.Below(12));
    if (random_.Below(6) == 0) {
      table_->Remove(name);
      servers_.erase(name);
      return;
    }
    auto known = servers_.find(name);
    v1::ServerRecord record;
    if (known != servers_.end() && random_.Below(2) == 0) {
      record = known->second;  // the same start, in another state
    } else {
      ServerShape shape{name};
      shape.role = random_.Below(2) == 0 ? v1::ROLE_PREFILL : v1::ROLE_DECODE;
      shape.model = random_.Below(4) == 0 ? "n" : "m";
      shape.shape.dtype = random_.Below(2) == 0 ? "bf16" : "fp8";
      shape.shape.tp = 1 << random_.Below(2);
      shape.labels = {{"zone", std::to_string(random_.Below(3))}};
      record = RecordOf(shape);
      record.set_incarnation(++incarnation_);
    }
    record.set_state(kStates[random_.Below(5)]);
    record.mutable_load()->set_rooms(random_.Below(100));
    servers_[name] = record;
    table_->Update(std::make_shared<const v1::ServerRecord>(record));
    if (random_.Below(10) == 0) table_->Age();
  }

  void Check() {
    for (const char* model : {"m", "n"}) {
      for (Policy policy : kPolicies) CheckPick(model, policy);
    }
  }

  uint64_t routes() const { return routes_; }
  uint64_t refusals() const { return refusals_; }

 private:
  void CheckPick(const std::string& model, Policy policy) {
    const std::string key = std::to_string(random_.Below(100));
    const std::vector<std::string> avoid = {"s" + std::to_string(random_.Below(12))};
    PickRequest request;
    request.model = model;
    request.policy = policy;
    request.prefix_key = key;
    if (random_.Below(2) == 0) request.avoid = avoid;
    auto route = table_->Pick(request);
    const bool exists = AnyPair(model, request.avoid.empty() ? "" : avoid[0]);
    ASSERT_EQ(route.ok(), exists) << route.status();
    ++(exists ? routes_ : refusals_);
    if (!exists) return;
    const v1::ServerRecord& prefill = servers_.at(route->prefill.server->name());
    const v1::ServerRecord& decode = servers_.at(route->decode.server->name());
    ASSERT_TRUE(CheckPair(prefill, decode).ok()) << CheckPair(prefill, decode);
    ASSERT_EQ(prefill.model(), model);
    ASSERT_EQ(route->prefill.server->incarnation(), prefill.incarnation());
    if (!request.avoid.empty()) {
      ASSERT_NE(prefill.name(), avoid[0]);
      ASSERT_NE(decode.name(), avoid[0]);
    }
    ASSERT_LT(route->prefill.dp, std::max(1u, prefill.spec().sizes().dp()));
  }

  bool AnyPair(const std::string& model, const std::string& avoid) const {
    for (const auto& [p, prefill] : servers_) {
      if (prefill.model() != model || p == avoid) continue;
      for (const auto& [d, decode] : servers_) {
        if (d != avoid && CheckPair(prefill, decode).ok()) return true;
      }
    }
    return false;
  }

  Random random_;
  std::unique_ptr<Table> table_;
  std::map<std::string, v1::ServerRecord> servers_;
  uint64_t incarnation_ = 0;
  uint64_t routes_ = 0;
  uint64_t refusals_ = 0;
};

TEST(TableProperty, APickIsAReadyPairThatFitsAndIsThereWheneverOneIs) {
  uint64_t routes = 0;
  uint64_t refusals = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Life life(seed);
    for (int step = 0; step < 120; ++step) {
      life.Change();
      life.Check();
      if (::testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
    routes += life.routes();
    refusals += life.refusals();
  }
  // Neither outcome is rare.
  EXPECT_GT(routes, 2000u);
  EXPECT_GT(refusals, 1000u);
}

// Rooms that last a fixed number of picks on servers of two sizes, with loads reported now and
// then: how evenly a policy spreads them.
class Balance {
 public:
  explicit Balance(uint64_t seed) {
    TableOptions options;
    options.seed = seed;
    table_ = std::make_unique<Table>(options);
    for (int i = 0; i < kServers; ++i) {
      Report("p" + std::to_string(i), v1::ROLE_PREFILL);
      Report("d" + std::to_string(i), v1::ROLE_DECODE);
    }
  }

  // The most rooms of a server over the mean.
  double Run(Policy policy) {
    std::vector<Route> open;
    std::map<std::string, int> picked;
    for (int i = 0; i < kServers * 400; ++i) {
      const std::string key = std::to_string(i);
      PickRequest request;
      request.model = "m";
      request.policy = policy;
      request.prefix_key = key;
      auto route = table_->Pick(request);
      EXPECT_TRUE(route.ok());
      ++rooms_[route->prefill.server->name()];
      ++rooms_[route->decode.server->name()];
      ++picked[route->prefill.server->name()];
      ++picked[route->decode.server->name()];
      open.push_back(*route);
      if (open.size() > kServers * 10) {
        --rooms_[open[i - kServers * 10].prefill.server->name()];
        --rooms_[open[i - kServers * 10].decode.server->name()];
      }
      if (i % (kServers * 2) == 0) ReportAll();
    }
    int most = 0;
    for (const auto& [name, count] : picked) most = std::max(most, count);
    return most / 400.0;
  }

 private:
  static constexpr int kServers = 20;

  void Report(const std::string& name, v1::Role role) {
    ServerShape shape{name, role};
    shape.rooms = rooms_[name];
    table_->Update(router_testing::Share(shape));
  }
  void ReportAll() {
    for (int i = 0; i < kServers; ++i) {
      Report("p" + std::to_string(i), v1::ROLE_PREFILL);
      Report("d" + std::to_string(i), v1::ROLE_DECODE);
    }
    table_->Age();
  }

  std::unique_ptr<Table> table_;
  std::map<std::string, uint32_t> rooms_;
};

TEST(TableProperty, EveryPolicySpreadsWhatItMay) {
  EXPECT_LT(Balance(1).Run(Policy::kRoundRobin), 1.01);
  EXPECT_LT(Balance(1).Run(Policy::kLeastLoaded), 1.05);
  EXPECT_LT(Balance(1).Run(Policy::kPowerOfTwo), 1.1);
  EXPECT_LT(Balance(1).Run(Policy::kLocality), 1.05);
  EXPECT_LT(Balance(1).Run(Policy::kConsistentHash), 1.5);
}

TEST(TableProperty, AServerThatDrainsMovesFewKeys) {
  Table table{TableOptions()};
  for (int i = 0; i < 20; ++i) {
    table.Update(router_testing::Prefill("p" + std::to_string(i)));
    table.Update(router_testing::Decode("d" + std::to_string(i)));
  }
  const auto owner = [&](int key) {
    const std::string text = std::to_string(key);
    PickRequest request;
    request.model = "m";
    request.policy = Policy::kConsistentHash;
    request.prefix_key = text;
    return table.Pick(request)->prefill.server->name();
  };
  std::vector<std::string> before;
  for (int key = 0; key < 5000; ++key) before.push_back(owner(key));
  ServerShape draining{"p3"};
  draining.state = v1::SERVER_STATE_DRAINING;
  table.Update(router_testing::Share(draining));
  int moved = 0;
  for (int key = 0; key < 5000; ++key) {
    const std::string now = owner(key);
    EXPECT_NE(now, "p3");
    if (before[key] != "p3") {
      EXPECT_EQ(now, before[key]);
    } else {
      ++moved;
    }
  }
  EXPECT_GT(moved, 100);
  EXPECT_LT(moved, 500);  // a 20th, which is 250
}

}  // namespace
}  // namespace baton::router
