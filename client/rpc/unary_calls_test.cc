// Calls to a real gRPC server in this process.
#include "client/rpc/unary_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "baton/v1/bootstrap.grpc.pb.h"
#include "common/reason.h"
#include "tests/support/eventually.h"

namespace baton {
namespace {

using Async = v1::Bootstrap::StubInterface::async_interface;
using Answer = absl::StatusOr<v1::ListServersResponse>;
constexpr auto kLong = std::chrono::hours(1);

class FakeBootstrap : public v1::Bootstrap::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListServers(grpc::CallbackServerContext* context,
                                        const v1::ListServersRequest* request,
                                        v1::ListServersResponse* response) override {
    if (request->model() == "hang") return new Hanging(&cancelled_);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (request->model() == "refuse") {
      reactor->Finish(ToGrpc(Error(Reason::kUnknownServer, "none")));
    } else {
      response->add_servers()->set_name("a");
      reactor->Finish(grpc::Status::OK);
    }
    return reactor;
  }

  int cancelled() const { return cancelled_; }

 private:
  class Hanging : public grpc::ServerUnaryReactor {
   public:
    explicit Hanging(std::atomic<int>* cancelled) : cancelled_(cancelled) {}
    void OnCancel() override {
      ++*cancelled_;
      Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    std::atomic<int>* const cancelled_;
  };
  std::atomic<int> cancelled_{0};
};

// As a client of Baton holds them: the calls go before the stub.
struct Client {
  explicit Client(const std::string& address)
      : stub(v1::Bootstrap::NewStub(MakeChannel(address))) {}
  void List(const std::string& model, std::function<void(Answer)> done) {
    v1::ListServersRequest request;
    request.set_model(model);
    calls.Make<v1::ListServersRequest, v1::ListServersResponse>(
        stub->async(), &Async::ListServers, std::move(request), kLong, std::move(done));
  }

  const std::unique_ptr<v1::Bootstrap::Stub> stub;
  UnaryCalls calls;
};

class UnaryCallsTest : public ::testing::Test {
 protected:
  UnaryCallsTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~UnaryCallsTest() override { server_->Shutdown(std::chrono::system_clock::now()); }

  FakeBootstrap service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(UnaryCallsTest, BringTheAnswerOrTheReason) {
  std::atomic<int> answers{0};
  Client client(address_);
  client.List("", [&](const Answer& answer) {
    EXPECT_EQ(answer->servers(0).name(), "a");
    ++answers;
  });
  client.List("refuse", [&](const Answer& answer) {
    EXPECT_EQ(ReasonOf(answer.status()), Reason::kUnknownServer);
    ++answers;
  });
  EXPECT_TRUE(Eventually([&] { return answers == 2; }));
}

TEST_F(UnaryCallsTest, EndWithTheirClientEachToldOnce) {
  std::atomic<int> failed{0};
  {
    Client client(address_);
    for (int i = 0; i < 8; ++i) {
      client.List("hang", [&](const Answer& answer) { failed += answer.ok() ? 0 : 1; });
    }
  }
  EXPECT_EQ(failed, 8) << "the client's end waits for it, not for the deadline of an hour";
}

TEST_F(UnaryCallsTest, AreWaitedForUpToALimit) {
  std::atomic<int> answers{0};
  Client client(address_);
  client.List("", [&](const Answer& answer) { answers += answer.ok() ? 1 : 0; });
  client.calls.Wait(kLong);
  EXPECT_EQ(answers, 1);
  client.List("hang", [&](const Answer&) { ++answers; });
  client.calls.Wait(std::chrono::milliseconds(1));
  EXPECT_EQ(answers, 1);
}

TEST_F(UnaryCallsTest, ClientsComeAndGoWithCallsInFlight) {
  std::atomic<int> told{0};
  constexpr int kClients = 200;
  for (int i = 0; i < kClients; ++i) {
    Client client(address_);
    client.List(i % 2 == 0 ? "" : "hang", [&](const Answer&) { ++told; });
    // Some go while their channel connects, some in the call, some as the answer comes.
    if (i % 3 == 0) client.calls.Wait(std::chrono::milliseconds(i % 7));
  }
  EXPECT_EQ(told, kClients);
}

}  // namespace
}  // namespace baton
