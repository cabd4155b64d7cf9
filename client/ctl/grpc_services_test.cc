// The calls of batonctl to real gRPC servers in this process.
#include "client/ctl/grpc_services.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <sstream>

#include "baton/v1/agent_service.grpc.pb.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/ctl/exit_code.h"
#include "client/ctl/fake_services.h"
#include "client/ctl/run.h"
#include "client/rpc/status.h"
#include "tests/support/eventually.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;

class FakeBootstrap : public v1::Bootstrap::Service {
 public:
  grpc::Status ListServers(grpc::ServerContext* context, const v1::ListServersRequest* request,
                           v1::ListServersResponse* response) override {
    if (!pages_.empty()) {
      const std::string& token = request->page_token();
      const size_t page = token.empty() ? 0 : token[0] - '0';
      EXPECT_GT(request->page_size(), 0u);
      response->add_servers()->set_name(pages_[page]);
      response->set_unix_ms(page);
      if (page + 1 < pages_.size()) response->set_next_page_token(std::to_string(page + 1));
      return grpc::Status::OK;
    }
    left_ = context->deadline() - std::chrono::system_clock::now();
    if (hangs_) {
      EXPECT_TRUE(Eventually([context] { return context->IsCancelled(); }));
      return grpc::Status::CANCELLED;
    }
    response->add_servers()->set_name("a");
    return grpc::Status::OK;
  }
  grpc::Status GetServer(grpc::ServerContext*, const v1::GetServerRequest* request,
                         v1::GetServerResponse*) override {
    return ToGrpc(Error(Reason::kUnknownServer, "no server '" + request->name() + "'"));
  }
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    v1::WatchResponse response;
    response.add_events()->set_removed(request->servers(0));
    while (!context->IsCancelled() && writer->Write(response)) {
    }
    return grpc::Status::OK;
  }
  std::atomic<bool> hangs_{false};
  std::vector<std::string> pages_;  // set before the calls: the name on each
  std::chrono::system_clock::duration left_{};
};

class FakeAgent : public v1::Agent::Service {
 public:
  grpc::Status Status(grpc::ServerContext*, const v1::AgentStatusRequest*,
                      v1::AgentStatusResponse* response) override {
    response->set_version("9.9.9");
    return grpc::Status::OK;
  }
  grpc::Status ListRooms(grpc::ServerContext* context, const v1::ListRoomsRequest*,
                         v1::ListRoomsResponse*) override {
    // An agent that hangs.
    EXPECT_TRUE(Eventually([context] { return context->IsCancelled(); }));
    return grpc::Status::CANCELLED;
  }
  grpc::Status AbortRoom(grpc::ServerContext*, const v1::AbortRoomRequest* request,
                         v1::AbortRoomResponse* response) override {
    response->set_aborted(static_cast<uint32_t>(request->room().id()));
    return grpc::Status::OK;
  }
  grpc::Status Drain(grpc::ServerContext*, const v1::AgentDrainRequest*,
                     v1::AgentDrainResponse* response) override {
    response->set_rooms(5);
    return grpc::Status::OK;
  }
};

class GrpcServicesTest : public testing::Test {
 protected:
  GrpcServicesTest() {
    char folder[] = "/tmp/batonctl.XXXXXX";
    folder_ = mkdtemp(folder);
    options_.service_socket = folder_ + "/agent.sock";
    int port = 0;
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.AddListeningPort("unix:" + options_.service_socket, grpc::InsecureServerCredentials());
    builder.RegisterService(&bootstrap_);
    builder.RegisterService(&agent_);
    server_ = builder.BuildAndStart();
    options_.bootstrap = "127.0.0.1:" + std::to_string(port);
  }
  ~GrpcServicesTest() override {
    StopServer();
    unlink(options_.service_socket.c_str());
    rmdir(folder_.c_str());
  }
  void StopServer() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  FakeBootstrap bootstrap_;
  FakeAgent agent_;
  std::string folder_;
  Options options_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcServicesTest, AsksBothServicesWithADeadline) {
  options_.timeout_ms = 20000;
  auto services = MakeGrpcServices(options_);
  EXPECT_EQ(services->ListServers({})->servers(0).name(), "a");
  // On the wire gRPC has three digits of what is left, rounded up.
  EXPECT_LE(bootstrap_.left_, std::chrono::milliseconds(20200));
  EXPECT_EQ(services->AgentStatus("")->version(), "9.9.9");
  EXPECT_EQ(services->AgentStatus(options_.bootstrap)->version(), "9.9.9") << "one elsewhere";
  EXPECT_EQ(services->DrainAgent()->rooms(), 5u);
  v1::AbortRoomRequest abort;
  abort.mutable_room()->set_id(3);
  EXPECT_EQ(services->AbortRoom(abort)->aborted(), 3u);
}

// A list above the size of a message failed for everybody.
TEST_F(GrpcServicesTest, AListComesWholeFromItsPages) {
  bootstrap_.pages_ = {"a", "b", "c"};
  auto list = MakeGrpcServices(options_)->ListServers({});
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->servers_size(), 3);
  EXPECT_EQ(list->servers(2).name(), "c");
  EXPECT_EQ(list->unix_ms(), 2u);
  EXPECT_EQ(list->next_page_token(), "");
}

TEST_F(GrpcServicesTest, AServicesOwnErrorStandsForItself) {
  v1::GetServerRequest request;
  request.set_name("x");
  absl::Status status = MakeGrpcServices(options_)->GetServer(request).status();
  EXPECT_EQ(ReasonOf(status), Reason::kUnknownServer);
  EXPECT_EQ(status.message(), "no server 'x'");
  EXPECT_EQ(ExitCodeOf(status), kExitNotFound);
}

TEST_F(GrpcServicesTest, AsksAProgramsHealthAsAProbeDoes) {
  auto services = MakeGrpcServices(options_);
  EXPECT_EQ(*services->CheckHealth(options_.bootstrap, ""), Health::kServing);
  EXPECT_EQ(*services->CheckHealth("unix:" + options_.service_socket, ""), Health::kServing);
  server_->GetHealthCheckService()->SetServingStatus("readiness", false);
  EXPECT_EQ(*services->CheckHealth(options_.bootstrap, "readiness"), Health::kNotServing);
  absl::Status unknown = services->CheckHealth(options_.bootstrap, "lunch").status();
  EXPECT_EQ(ExitCodeOf(unknown), kExitNotFound) << unknown;
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("knows no health service 'lunch'"));
  StopServer();
  EXPECT_EQ(ExitCodeOf(services->CheckHealth(options_.bootstrap, "").status()), kExitUnavailable);
}

TEST_F(GrpcServicesTest, AnAbsentServiceNamesItsFlag) {
  StopServer();
  auto services = MakeGrpcServices(options_);
  absl::Status status = services->ListServers({}).status();
  EXPECT_EQ(ExitCodeOf(status), kExitUnavailable) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the bootstrap service at --bootstrap=127.0.0.1:"));
  status = services->AgentStatus("").status();
  EXPECT_EQ(ExitCodeOf(status), kExitUnavailable) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the agent at --service_socket=" + options_.service_socket));
  v1::WatchRequest watch;
  status = services->Watch(watch, [](const v1::WatchResponse&) { return true; });
  EXPECT_EQ(ExitCodeOf(status), kExitUnavailable) << status;
}

TEST_F(GrpcServicesTest, AServiceThatHangsIsTooSlow) {
  options_.timeout_ms = 200;
  absl::Status status = MakeGrpcServices(options_)->ListRooms("", {}).status();
  EXPECT_EQ(ReasonOf(status), Reason::kDeadline);
  EXPECT_EQ(ExitCodeOf(status), kExitUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("did not answer within --timeout_ms=200"));
}

// Lists servers over gRPC; everything else, this machine too, is made up.
class RealList : public FakeServices {
 public:
  RealList(const Options& options, FakeAnswers* answers)
      : FakeServices(answers), grpc_(MakeGrpcServices(options)) {}
  absl::StatusOr<v1::ListServersResponse> ListServers(
      const v1::ListServersRequest& request) override {
    return grpc_->ListServers(request);
  }

 private:
  const std::unique_ptr<Services> grpc_;
};

TEST_F(GrpcServicesTest, DoctorGivesAServiceThatNeverAnswersOneSecond) {
  bootstrap_.hangs_ = true;
  FakeAnswers answers;
  answers.host.files["/run/baton/x"] = "";
  std::ostringstream out, err;
  const ExitCode code = ctl::Run(
      {"doctor", "--bootstrap=" + options_.bootstrap}, [](const char*) { return nullptr; },
      [&](const Options& options) { return std::make_unique<RealList>(options, &answers); }, out,
      err, false);
  EXPECT_EQ(code, kExitError) << err.str();
  // What the call was given: gRPC rounds it up to a few digits on its way.
  EXPECT_LE(bootstrap_.left_, std::chrono::milliseconds(1100));
  EXPECT_THAT(out.str(),
              HasSubstr("bootstrap     FAIL  the bootstrap service at --bootstrap=" +
                        options_.bootstrap + " did not answer within --timeout_ms=1000"));
}

TEST_F(GrpcServicesTest, AWatchEndsWhenItsReaderHasEnough) {
  v1::WatchRequest request;
  request.add_servers("seen");
  int messages = 0;
  absl::Status status =
      MakeGrpcServices(options_)->Watch(request, [&](const v1::WatchResponse& message) {
        EXPECT_EQ(message.events(0).removed(), "seen");
        return ++messages < 3;
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(messages, 3);
}

}  // namespace
}  // namespace baton::ctl
