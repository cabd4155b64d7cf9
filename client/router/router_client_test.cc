// The router client against a real bootstrap service, and its aborts against real servers.
#include "client/router/router_client.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <utility>

#include "baton/v1/peer.grpc.pb.h"
#include "bootstrap_service/integration/fixture.h"

namespace baton {
namespace {

using registry::Heard;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The part of an agent that routers talk to.
class FakeAgent : public v1::AgentPeer::Service {
 public:
  FakeAgent() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~FakeAgent() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::Status AbortLeg(grpc::ServerContext* context, const v1::AbortLegRequest* request,
                        v1::AbortLegResponse*) override {
    MutexLock lock(&mu_);
    EXPECT_LT(context->deadline(), std::chrono::system_clock::now() + std::chrono::seconds(10));
    if (failures_ > 0) {
      --failures_;
      return {grpc::StatusCode::UNAVAILABLE, "not now"};
    }
    aborted_.push_back({request->room().id(), request->room().nonce()});
    return grpc::Status::OK;
  }

  void FailNext(int times) {
    MutexLock lock(&mu_);
    failures_ = times;
  }
  std::vector<RoomKey> aborted() const {
    MutexLock lock(&mu_);
    return aborted_;
  }
  const std::string& address() const { return address_; }

 private:
  mutable Mutex mu_;
  int failures_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<RoomKey> aborted_ ABSL_GUARDED_BY(mu_);
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

class RouterClientTest : public registry::BootstrapTest {
 protected:
  std::unique_ptr<RouterClient> NewClient() {
    RouterOptions options;
    options.bootstrap_address = address();
    return MakeRouterClient(options);
  }
  std::unique_ptr<Registrar> AgentOf(const std::string& name, Role role, uint64_t epoch,
                                     const std::string& agent_address) {
    RegistrarOptions options;
    options.bootstrap_address = address();
    options.agent_address = agent_address;
    options.epoch = Epoch(epoch);
    auto registrar = MakeRegistrar(options, &heard_);
    AddServer(registrar.get(), name, "launch-" + std::to_string(epoch), 1, 2, role);
    return registrar;
  }
  static PickRequest Request() {
    PickRequest request;
    request.model = "model";
    return request;
  }

  Heard heard_;
  static constexpr auto kLong = std::chrono::seconds(60);
};

TEST_F(RouterClientTest, WaitsForAPairAndPicksIt) {
  StartService();
  auto client = NewClient();
  ASSERT_TRUE(Eventually([&] { return client->synced(); }));
  EXPECT_EQ(ReasonOf(client->Pick(Request()).status()), Reason::kNotReady);
  auto prefill = AgentOf("p", Role::kPrefill, 1, "10.0.0.1:1");
  auto decode = AgentOf("d", Role::kDecode, 2, "10.0.0.2:1");
  auto route = client->PickWithin(Request(), kLong);
  ASSERT_TRUE(route.ok()) << route.status();
  EXPECT_EQ(route->prefill.server->name(), "p");
  EXPECT_EQ(route->decode.server->name(), "d");
  EXPECT_THAT(client->Servers(), SizeIs(2));
  EXPECT_THAT(*client->Explain("p", "d"), IsEmpty());
  EXPECT_EQ(ReasonOf(client->Explain("p", "x").status()), Reason::kUnknownServer);
}

TEST_F(RouterClientTest, APickThatFindsNothingEndsInTime) {
  StartService();
  auto client = NewClient();
  auto route = client->PickWithin(Request(), std::chrono::milliseconds(5));
  EXPECT_EQ(ReasonOf(route.status()), Reason::kNotReady);
}

TEST_F(RouterClientTest, ADrainingServerIsOfferedNoMore) {
  StartService();
  auto client = NewClient();
  auto prefill = AgentOf("p", Role::kPrefill, 1, "10.0.0.1:1");
  auto decode = AgentOf("d", Role::kDecode, 2, "10.0.0.2:1");
  ASSERT_TRUE(client->PickWithin(Request(), kLong).ok());
  v1::DrainRequest drain;
  drain.set_server("d");
  v1::DrainResponse response;
  ASSERT_TRUE(NewStub()->Drain(registry::Within(10).get(), drain, &response).ok());
  ASSERT_TRUE(Eventually([&] { return !client->Pick(Request()).ok(); }));
  auto why = client->Explain("p", "d");
  ASSERT_THAT(*why, SizeIs(1));
  EXPECT_EQ((*why)[0].reason, Reason::kDraining);
}

TEST_F(RouterClientTest, KeepsPickingWhileTheServiceIsAwayAndHearsOfNewServersAfterwards) {
  StartService();
  auto client = NewClient();
  auto prefill = AgentOf("p", Role::kPrefill, 1, "10.0.0.1:1");
  auto decode = AgentOf("d", Role::kDecode, 2, "10.0.0.2:1");
  ASSERT_TRUE(client->PickWithin(Request(), kLong).ok());
  StopService();
  EXPECT_TRUE(client->Pick(Request()).ok());
  StartService();
  auto another = AgentOf("d2", Role::kDecode, 3, "10.0.0.3:1");
  EXPECT_TRUE(Eventually([&] {
    auto route = client->Pick(Request());
    return route.ok() && route->decode.server->name() == "d2";
  }));
}

TEST_F(RouterClientTest, AbortsBothLegsAndTriesAgain) {
  StartService();
  auto client = NewClient();
  FakeAgent source, target;
  auto prefill = AgentOf("p", Role::kPrefill, 1, source.address());
  auto decode = AgentOf("d", Role::kDecode, 2, target.address());
  auto route = client->PickWithin(Request(), kLong);
  ASSERT_TRUE(route.ok()) << route.status();
  target.FailNext(2);
  std::promise<absl::Status> done;
  client->Abort(*route, "the user has gone",
                [&](const absl::Status& status) { done.set_value(status); });
  EXPECT_EQ(done.get_future().get(), absl::OkStatus());
  EXPECT_THAT(source.aborted(), ::testing::ElementsAre(route->room));
  EXPECT_THAT(target.aborted(), ::testing::ElementsAre(route->room));
}

TEST_F(RouterClientTest, StopEndsWhatWaits) {
  StartService();
  auto client = NewClient();
  absl::Status ended;
  std::thread waiter([&] { ended = client->PickWithin(Request(), kLong).status(); });
  client->Stop();
  waiter.join();
  EXPECT_FALSE(ended.ok());
}

}  // namespace
}  // namespace baton
