// Both servers with a health that the test sets: what probes and operators are told.
#include "admin/admin.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>

#include "admin/http_get.h"
#include "common/reason.h"
#include "tests/support/eventually.h"

namespace baton::admin {
namespace {

using ::testing::HasSubstr;

enum Serving { kUnknown = 0, kServing = 1, kNotServing = 2, kNoSuchService = -1, kNoAnswer = -2 };

// grpc.health.v1's messages are one field each: a name, a number.
int Check(const std::string& address, const std::string& service) {
  auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  grpc::internal::RpcMethod call("/grpc.health.v1.Health/Check",
                                 grpc::internal::RpcMethod::NORMAL_RPC);
  std::string bytes;
  if (!service.empty())
    bytes = "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
  grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  grpc::Status status =
      grpc::internal::BlockingUnaryCall(channel.get(), call, &context, request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return kNoSuchService;
  grpc::Slice whole;
  if (!status.ok() || !response.DumpToSingleSlice(&whole).ok()) return kNoAnswer;
  if (whole.size() != 2 || whole.begin()[0] != 8) return kNoAnswer;
  return whole.begin()[1];
}

class AdminTest : public ::testing::Test {
 protected:
  void StartIt() {
    options_.admin_listen = "127.0.0.1:0";
    options_.probe_listen = "127.0.0.1:0";
    AdminSources sources;
    sources.health = [this] {
      Health health;
      health.started = started_;
      health.ready = ready_;
      health.live = live_;
      health.why = "because";
      return health;
    };
    sources.metrics = [] { return std::string("baton_x 1\n"); };
    auto admin = Admin::Start(options_, std::move(sources));
    ASSERT_TRUE(admin.ok()) << admin.status();
    admin_ = *std::move(admin);
  }

  int Probe(const std::string& service) { return Check(admin_->probe_address(), service); }
  HttpReply Get(absl::string_view path) { return HttpGet(admin_->http_address(), path); }

  AdminOptions options_;
  std::atomic<bool> started_{true};
  std::atomic<bool> ready_{false};
  std::atomic<bool> live_{true};
  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminTest, ProbesHearStartupReadinessAndLivenessApart) {
  StartIt();
  EXPECT_EQ(Probe("startup"), kServing);
  EXPECT_EQ(Probe("readiness"), kNotServing);
  EXPECT_EQ(Probe("liveness"), kServing);
  EXPECT_EQ(Probe(""), kNotServing);
  EXPECT_EQ(Probe("nonsense"), kNoSuchService);
}

TEST_F(AdminTest, AChangeOfHealthIsFoundWithoutBeingTold) {
  StartIt();
  ready_ = true;
  EXPECT_TRUE(Eventually([&] { return Probe("readiness") == kServing; }));
  live_ = false;
  EXPECT_TRUE(Eventually([&] { return Probe("liveness") == kNotServing; }));
}

TEST_F(AdminTest, AChangeThatItIsToldOfIsServedAtOnce) {
  ready_ = true;
  StartIt();
  EXPECT_EQ(Probe("readiness"), kServing);
  ready_ = false;
  admin_->Refresh();
  EXPECT_EQ(Probe("readiness"), kNotServing);
  EXPECT_EQ(Probe(""), kNotServing);
}

TEST_F(AdminTest, HttpSaysTheSameWithTheCause) {
  StartIt();
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "because\n");
  ready_ = true;
  EXPECT_EQ(Get("/readyz").status, 200);
  live_ = false;
  EXPECT_EQ(Get("/healthz").status, 503);
}

TEST_F(AdminTest, MetricsComeInPrometheusOwnType) {
  StartIt();
  EXPECT_EQ(Get("/metrics").body, "baton_x 1\n");
  EXPECT_THAT(Get("/metrics").head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
}

TEST_F(AdminTest, PortFilesHoldWhatIsServed) {
  const std::string folder = ::testing::TempDir();
  options_.admin_port_file = folder + "/admin.port";
  options_.probe_port_file = folder + "/probe.port";
  StartIt();
  std::string line;
  ASSERT_TRUE(std::getline(std::ifstream(options_.admin_port_file), line));
  EXPECT_EQ(line, admin_->http_address());
  ASSERT_TRUE(std::getline(std::ifstream(options_.probe_port_file), line));
  EXPECT_EQ(line, admin_->probe_address());
}

TEST_F(AdminTest, NothingIsServedUnlessItIsAskedFor) {
  AdminSources sources;
  sources.health = [] { return Health(); };
  auto admin = Admin::Start(AdminOptions(), std::move(sources));
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_EQ((*admin)->http_address(), "");
  EXPECT_EQ((*admin)->probe_address(), "");
}

TEST_F(AdminTest, AProbePortInUseIsNamedWithTheFlag) {
  StartIt();
  AdminOptions same;
  same.probe_listen = admin_->probe_address();
  AdminSources sources;
  sources.health = [] { return Health(); };
  auto second = Admin::Start(same, std::move(sources));
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("--probe_listen=" + same.probe_listen));
}

}  // namespace
}  // namespace baton::admin
