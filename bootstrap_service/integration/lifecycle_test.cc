// Registrars and directories against a real service: registration, leases, restarts.
#include <gtest/gtest.h>

#include <atomic>

#include "bootstrap_service/integration/fixture.h"

namespace baton::registry {
namespace {

class Lifecycle : public BootstrapTest {};

v1::ServerState StateOf(const Directory& directory, const std::string& name) {
  auto server = directory.Find(name);
  return server == nullptr ? v1::SERVER_STATE_UNSPECIFIED : server->state();
}

TEST_F(Lifecycle, AServerIsReadyOnceAllItsAgentsHaveRegistered) {
  StartService();
  auto directory = NewDirectory();
  Heard heard;
  auto first = NewRegistrar(1, &heard);
  auto second = NewRegistrar(2, &heard);
  first->Add({{"p", {0, 0, 0, 0}}, Role::kPrefill, "launch", "m", SmallSpec(1, 2), {{"a", "b"}}});
  ASSERT_TRUE(Eventually([&] { return heard.registered() == 1; }));
  ASSERT_TRUE(Eventually([&] {
    auto server = directory->Find("p");
    return server != nullptr && server->ranks_size() == 1;
  }));
  auto server = directory->Find("p");
  EXPECT_EQ(server->state(), v1::SERVER_STATE_REGISTERING);
  EXPECT_EQ(server->missing_count(), 1u);
  ASSERT_EQ(server->missing_size(), 1);
  EXPECT_EQ(server->missing(0).tp(), 1u);
  EXPECT_EQ(server->labels().at("a"), "b");
  second->Add({{"p", {0, 0, 0, 1}}, Role::kPrefill, "launch", "m", SmallSpec(1, 2), {}});
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_READY; }));
  server = directory->Find("p");
  ASSERT_EQ(server->ranks_size(), 2);
  EXPECT_EQ(server->ranks(0).agent_address(), "10.0.0.1:7001");
  EXPECT_EQ(server->ranks(1).epoch(), 2u);
  EXPECT_EQ(heard.incarnation({"p", {0, 0, 0, 0}}), heard.incarnation({"p", {0, 0, 0, 1}}));
  EXPECT_TRUE(directory->synced());
}

TEST_F(Lifecycle, LeasesAreKeptAliveAndEndWithTheirAgent) {
  options_.lease_ms = 300;
  StartService();
  auto directory = NewDirectory();
  Heard heard;
  auto registrar = NewRegistrar(1, &heard);
  AddServer(registrar.get(), "p", "launch", 1, 4);
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_READY; }));
  // Load is told with the keep-alives: a second value means that time has passed and renewals too.
  registrar->SetLoad({7, 1000, true});
  ASSERT_TRUE(Eventually([&] { return directory->Find("p")->load().rooms() == 7; }));
  EXPECT_EQ(StateOf(*directory, "p"), v1::SERVER_STATE_READY);
  registrar->Stop(std::chrono::milliseconds(0));
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") != v1::SERVER_STATE_READY; }));
}

TEST_F(Lifecycle, StopGivesTheLeasesBackAtOnce) {
  options_.lease_ms = 600000;
  StartService();
  auto directory = NewDirectory();
  Heard heard;
  auto registrar = NewRegistrar(1, &heard);
  AddServer(registrar.get(), "p", "launch", 1, 2);
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_READY; }));
  registrar->Remove({"p", {0, 0, 0, 1}});
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_REGISTERING; }));
  registrar->Stop(std::chrono::milliseconds(5000));
  ASSERT_TRUE(Eventually([&] { return directory->Find("p") == nullptr; }));
}

TEST_F(Lifecycle, ARestartedAgentReplacesItsEndpointAndNobodyElses) {
  StartService();
  auto directory = NewDirectory();
  Heard heard;
  Heard heard_again;
  auto other = NewRegistrar(1, &heard);
  auto agent = NewRegistrar(2, &heard);
  other->Add({{"p", {0, 0, 0, 0}}, Role::kPrefill, "launch", "m", SmallSpec(1, 2), {}});
  agent->Add({{"p", {0, 0, 0, 1}}, Role::kPrefill, "launch", "m", SmallSpec(1, 2), {}});
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_READY; }));
  agent->Stop(std::chrono::milliseconds(0));
  auto successor = NewRegistrar(3, &heard_again);
  successor->Add({{"p", {0, 0, 0, 1}}, Role::kPrefill, "launch", "m", SmallSpec(1, 2), {}});
  ASSERT_TRUE(Eventually([&] { return directory->Find("p")->ranks(1).epoch() == 3; }));
  EXPECT_EQ(StateOf(*directory, "p"), v1::SERVER_STATE_READY);
  EXPECT_EQ(directory->Find("p")->ranks(0).epoch(), 1u);
}

TEST_F(Lifecycle, ANewStartReplacesTheOldOneForGood) {
  StartService();
  auto directory = NewDirectory();
  Heard old_heard;
  Heard new_heard;
  auto old_start = NewRegistrar(1, &old_heard);
  AddServer(old_start.get(), "p", "first", 1, 2);
  ASSERT_TRUE(Eventually([&] { return old_heard.registered() == 2; }));
  Incarnation before = old_heard.incarnation({"p", {0, 0, 0, 0}});
  auto new_start = NewRegistrar(2, &new_heard);
  AddServer(new_start.get(), "p", "second", 1, 4);
  ASSERT_TRUE(Eventually([&] { return new_heard.registered() == 4; }));
  EXPECT_GT(new_heard.incarnation({"p", {0, 0, 0, 0}}), before);
  ASSERT_TRUE(Eventually([&] {
    return ReasonOf(old_heard.failure({"p", {0, 0, 0, 0}})) == Reason::kStaleIncarnation;
  }));
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_READY; }));
  EXPECT_EQ(directory->Find("p")->ranks_size(), 4);
}

TEST_F(Lifecycle, ARestartOfTheServiceLosesNothingThatLives) {
  options_.settle = "lease";
  options_.lease_ms = 2000;
  StartService();
  auto directory = NewDirectory();
  Heard heard;
  auto registrar = NewRegistrar(1, &heard);
  AddServer(registrar.get(), "p", "launch", 2, 4);
  ASSERT_TRUE(Eventually([&] { return StateOf(*directory, "p") == v1::SERVER_STATE_READY; }));
  Incarnation incarnation = heard.incarnation({"p", {0, 1, 0, 3}});
  uint64_t store_epoch = directory->Find("p")->modified().store_epoch();
  directory->BindRoom("p", {5, 6}, 0, std::chrono::minutes(1));
  StopService();
  StartService();
  // The directory hears from the new service, and never sees the server less than whole.
  ASSERT_TRUE(Eventually([&] {
    auto server = directory->Find("p");
    EXPECT_NE(server, nullptr);
    EXPECT_EQ(server->ranks_size(), 8);
    EXPECT_EQ(server->state(), v1::SERVER_STATE_READY);
    return server->modified().store_epoch() != store_epoch;
  }));
  EXPECT_EQ(heard.incarnation({"p", {0, 1, 0, 3}}), incarnation);
  // The binding was told again.
  absl::StatusOr<uint32_t> dp = absl::UnknownError("not yet");
  std::atomic<bool> answered{false};
  directory->LookupRoom("p", {5, 6}, std::chrono::seconds(20), [&](absl::StatusOr<uint32_t> found) {
    dp = found;
    answered = true;
  });
  ASSERT_TRUE(Eventually([&] { return answered.load(); }));
  EXPECT_TRUE(dp.ok()) << dp.status();
  EXPECT_EQ(heard.lost(), 0u);
}

TEST_F(Lifecycle, ALeaseThatCouldNotBeRenewedIsSaidToBeLost) {
  options_.lease_ms = 300;
  StartService();
  Heard heard;
  auto registrar = NewRegistrar(1, &heard);
  AddServer(registrar.get(), "p", "launch", 1, 2);
  ASSERT_TRUE(Eventually([&] { return heard.registered() == 2; }));
  StopService();
  ASSERT_TRUE(Eventually([&] { return heard.lost() == 2; }));
  StartService();
  ASSERT_TRUE(Eventually([&] { return heard.registered() == 2; }));
}

TEST_F(Lifecycle, ARegistrarWaitsForAServiceThatIsNotThereYet) {
  StartService();
  StopService();
  Heard heard;
  auto registrar = NewRegistrar(1, &heard);
  AddServer(registrar.get(), "p", "launch", 1, 1);
  ASSERT_TRUE(Eventually([&] { return !heard.failure({"p", {0, 0, 0, 0}}).ok(); }));
  StartService();
  ASSERT_TRUE(Eventually([&] { return heard.registered() == 1; }));
}

TEST_F(Lifecycle, ALookupHearsOfABindingThatComesLater) {
  StartService();
  auto source = NewDirectory();
  auto target = NewDirectory();
  std::atomic<int> answers{0};
  std::atomic<uint32_t> dp{99};
  for (int i = 0; i < 3; ++i) {
    target->LookupRoom("p", {1, 2}, std::chrono::seconds(20), [&](absl::StatusOr<uint32_t> found) {
      if (found.ok()) dp = *found;
      ++answers;
    });
  }
  std::atomic<bool> unknown{false};
  target->LookupRoom("p", {1, 3}, std::chrono::milliseconds(1), [&](absl::StatusOr<uint32_t> f) {
    unknown = ReasonOf(f.status()) == Reason::kRoomUnknown;
  });
  ASSERT_TRUE(Eventually([&] { return unknown.load(); }));
  EXPECT_EQ(answers, 0);
  source->BindRoom("p", {1, 2}, 3, std::chrono::minutes(1));
  ASSERT_TRUE(Eventually([&] { return answers == 3; }));
  EXPECT_EQ(dp, 3u);
}

TEST_F(Lifecycle, LookupsGoOnWhenTheServiceHasComeBack) {
  StartService();
  auto source = NewDirectory();
  auto target = NewDirectory();
  std::atomic<int> answers{0};
  auto look = [&](uint64_t room) {
    target->LookupRoom("p", {room, 2}, std::chrono::seconds(20),
                       [&](const absl::StatusOr<uint32_t>& dp) { answers += dp.ok() ? 1 : 100; });
  };
  look(1);
  source->BindRoom("p", {1, 2}, 0, std::chrono::minutes(1));
  ASSERT_TRUE(Eventually([&] { return answers == 1; }));
  look(2);
  EXPECT_TRUE(Eventually([&] { return target->rooms().lookups == 1; }));
  StopService();
  StartService();
  source->BindRoom("p", {2, 2}, 0, std::chrono::minutes(1));
  ASSERT_TRUE(Eventually([&] { return answers == 2; }));
  EXPECT_TRUE(Eventually([&] { return target->rooms().lookups == 0; }));
  EXPECT_EQ(source->rooms().bindings, 2u);
  source->RoomOver("p", {1, 2});
  EXPECT_TRUE(Eventually([&] { return source->rooms().bindings == 1; }));
}

}  // namespace
}  // namespace baton::registry
