// What is unknown, contradictory, malformed or too large is refused over the wire by name, and
// nothing else is disturbed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap_service/integration/fixture.h"
#include "client/rpc/status.h"

namespace baton::registry {
namespace {

using ::testing::HasSubstr;

class BadInput : public BootstrapTest {
 protected:
  void SetUp() override {
    options_.max_message_bytes = 64 << 10;
    StartService();
    stub_ = NewStub();
    registrar_ = NewRegistrar(1, &heard_);
    AddServer(registrar_.get(), "bystander", "launch", 1, 2);
    ASSERT_TRUE(Eventually([&] { return heard_.registered() == 2; }));
  }
  void TearDown() override {
    EXPECT_EQ(Get("bystander").server().state(), v1::SERVER_STATE_READY);
    EXPECT_EQ(heard_.lost(), 0u);
  }

  static v1::RegisterServerRequest Server() {
    v1::RegisterServerRequest request;
    request.set_name("p");
    request.set_launch_id("launch");
    request.set_role(v1::ROLE_PREFILL);
    *request.mutable_spec() = SmallSpecProto(1, 2);
    return request;
  }
  v1::RegisterRankRequest Rank(uint32_t tp) {
    v1::RegisterServerResponse issued;
    EXPECT_TRUE(stub_->RegisterServer(Within(10).get(), Server(), &issued).ok());
    v1::RegisterRankRequest request;
    request.set_server("p");
    request.set_launch_id("launch");
    request.set_role(v1::ROLE_PREFILL);
    request.set_incarnation(issued.incarnation());
    request.mutable_rank()->mutable_coord()->set_tp(tp);
    request.mutable_rank()->set_epoch(4);
    request.mutable_rank()->set_agent_address("host:1");
    *request.mutable_spec() = SmallSpecProto(1, 2);
    return request;
  }
  absl::Status Register(const v1::RegisterRankRequest& request) {
    v1::RegisterRankResponse response;
    return FromGrpc(stub_->RegisterRank(Within(10).get(), request, &response));
  }
  v1::GetServerResponse Get(const std::string& name, absl::Status* status = nullptr) {
    v1::GetServerRequest request;
    request.set_name(name);
    v1::GetServerResponse response;
    absl::Status got = FromGrpc(stub_->GetServer(Within(10).get(), request, &response));
    if (status != nullptr) *status = got;
    return response;
  }

  Heard heard_;
  std::unique_ptr<v1::Bootstrap::Stub> stub_;
  std::unique_ptr<Registrar> registrar_;
};

TEST_F(BadInput, ACallWithoutADeadlineIsRefused) {
  grpc::ClientContext context;
  v1::RegisterServerResponse response;
  absl::Status status = FromGrpc(stub_->RegisterServer(&context, Server(), &response));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("deadline"));
  grpc::ClientContext lookup_context;
  v1::LookupRoomResponse found;
  status = FromGrpc(stub_->LookupRoom(&lookup_context, {}, &found));
  EXPECT_THAT(std::string(status.message()), HasSubstr("deadline"));
  grpc::ClientContext get_context;
  v1::GetServerResponse server;
  status = FromGrpc(stub_->GetServer(&get_context, {}, &server));
  EXPECT_THAT(std::string(status.message()), HasSubstr("deadline"));
}

TEST_F(BadInput, ARankThatDisagreesIsRefusedWithRankFieldAndBothValues) {
  EXPECT_TRUE(Register(Rank(0)).ok());
  auto other = Rank(1);
  other.mutable_spec()->mutable_page_groups(0)->set_page_tokens(64);
  absl::Status status = Register(other);
  EXPECT_EQ(ReasonOf(status), Reason::kSpecMismatch);
  EXPECT_EQ(RankOf(status), (RankRef{"p", {0, 0, 0, 1}}));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("spec.page_groups[0].page_tokens is 16, p[dp0/pp0/cp0/tp1] brings 64"));
}

TEST_F(BadInput, ARankOutsideOfItsServerIsRefused) {
  absl::Status status = Register(Rank(2));
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(status), Reason::kBadCoord);
  EXPECT_EQ(RankOf(status), (RankRef{"p", {0, 0, 0, 2}}));
}

TEST_F(BadInput, ARankThatComesTwiceIsOneRank) {
  EXPECT_TRUE(Register(Rank(0)).ok());
  EXPECT_TRUE(Register(Rank(0)).ok());
  auto record = Get("p").server();
  EXPECT_EQ(record.ranks_size(), 1);
  EXPECT_EQ(record.state(), v1::SERVER_STATE_REGISTERING);
}

TEST_F(BadInput, AnUnknownServerIsNamed) {
  absl::Status status;
  Get("nobody", &status);
  EXPECT_EQ(ReasonOf(status), Reason::kUnknownServer);
  EXPECT_THAT(std::string(status.message()), HasSubstr("nobody"));
  v1::DrainRequest drain;
  drain.set_server("nobody");
  v1::DrainResponse response;
  EXPECT_EQ(ReasonOf(FromGrpc(stub_->Drain(Within(10).get(), drain, &response))),
            Reason::kUnknownServer);
}

TEST_F(BadInput, AMessageThatIsTooLargeIsRefused) {
  auto request = Rank(0);
  request.set_model(std::string(100 << 10, 'm'));
  absl::Status status = Register(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("larger than max"));
}

TEST_F(BadInput, BytesThatAreNoMessageAreRefused) {
  for (const char* method : {"GetServer", "ListServers", "RegisterRank", "BindRoom"}) {
    std::string answer;
    grpc::Status status = RawCall(address(), std::string("/baton.v1.Bootstrap/") + method,
                                  "\xff\xff\xff\xff junk", &answer);
    EXPECT_FALSE(status.ok()) << method;
    EXPECT_NE(status.error_code(), grpc::DEADLINE_EXCEEDED) << method;
  }
}

TEST_F(BadInput, ABindingThatContradictsIsRefused) {
  v1::BindRoomRequest request;
  request.add_bindings()->set_server("bystander");
  v1::BindRoomResponse response;
  EXPECT_TRUE(stub_->BindRoom(Within(10).get(), request, &response).ok());
  request.mutable_bindings(0)->set_dp(1);
  absl::Status status = FromGrpc(stub_->BindRoom(Within(10).get(), request, &response));
  EXPECT_EQ(ReasonOf(status), Reason::kBadCoord);
  request.mutable_bindings(0)->set_server("unknown-yet");
  EXPECT_TRUE(stub_->BindRoom(Within(10).get(), request, &response).ok());
  request.mutable_bindings(0)->set_dp(2);
  status = FromGrpc(stub_->BindRoom(Within(10).get(), request, &response));
  EXPECT_EQ(ReasonOf(status), Reason::kRoomBound);
}

TEST_F(BadInput, AKeepAliveStreamThatContradictsItselfIsEnded) {
  auto context = Within(30);
  auto stream = stub_->KeepAlive(context.get());
  v1::KeepAliveRequest request;
  request.set_epoch(4);
  request.add_lease_ids(12345);
  ASSERT_TRUE(stream->Write(request));
  v1::KeepAliveResponse response;
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.unknown_lease_ids_size(), 1);
  request.set_epoch(5);
  stream->Write(request);
  EXPECT_FALSE(stream->Read(&response));
  absl::Status status = FromGrpc(stream->Finish());
  EXPECT_EQ(ReasonOf(status), Reason::kBadSpec);
  EXPECT_THAT(std::string(status.message()), HasSubstr("epoch: 4 and 5"));
}

TEST_F(BadInput, TwoServersThatDoNotFitAreSaidNotTo) {
  Heard heard;
  auto decode = NewRegistrar(2, &heard);
  planner::ServerSpec other = SmallSpec(1, 2);
  other.tensors[0].dtype = "fp8";
  decode->Add({{"d", {0, 0, 0, 0}}, Role::kDecode, "launch", "m", other, {}});
  ASSERT_TRUE(Eventually([&] { return heard.registered() == 1; }));
  v1::ResolveRouteRequest request;
  request.set_prefill("bystander");
  request.set_decode("d");
  v1::ResolveRouteResponse route;
  ASSERT_TRUE(stub_->ResolveRoute(Within(10).get(), request, &route).ok());
  EXPECT_EQ(route.prefill().ranks_size(), 2);
  EXPECT_EQ(route.decode().name(), "d");
  EXPECT_THAT(route.incompatible(), HasSubstr("dtype"));
  EXPECT_THAT(route.incompatible(), HasSubstr("fp8"));
  EXPECT_THAT(route.incompatible(), HasSubstr("bf16"));
  request.set_decode("bystander");
  EXPECT_EQ(ReasonOf(FromGrpc(stub_->ResolveRoute(Within(10).get(), request, &route))),
            Reason::kBadSpec);
}

TEST_F(BadInput, APortInUseIsAnErrorThatNamesTheFlag) {
  BootstrapOptions second = options_;
  auto server = BootstrapServer::Start(second);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(ReasonOf(server.status()), Reason::kConfig);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("--listen=" + address()));
}

}  // namespace
}  // namespace baton::registry
