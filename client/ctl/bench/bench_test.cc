// Two ends of a bench in one process, over each path that needs no device; and what an end is told
// that should not be.
#include "client/ctl/bench/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/reason.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;

BenchPlan Small(const std::string& transport, bool latency) {
  BenchPlan plan;
  plan.shape = {transport, 4096, 8};
  plan.time = std::chrono::milliseconds(20);
  plan.latency = latency;
  return plan;
}

TEST(Bench, CountsWhatLandedInAllOfItsTime) {
  for (const char* transport : {"tcp", "shm"}) {
    auto report = RunBenchHere(Small(transport, false));
    ASSERT_TRUE(report.ok()) << transport << ": " << report.status();
    EXPECT_GE(report->rooms(), 4u);
    EXPECT_EQ(report->bytes(), report->rooms() * 8 * 4096);
    EXPECT_GE(report->seconds(), 0.02);
    EXPECT_DOUBLE_EQ(report->bytes_per_second(),
                     static_cast<double>(report->bytes()) / report->seconds());
    EXPECT_EQ(report->transport(), transport);
    EXPECT_FALSE(report->path().empty());
  }
}

TEST(Bench, LatenciesAreOfOnePageEach) {
  for (const char* transport : {"tcp", "shm"}) {
    auto report = RunBenchHere(Small(transport, true));
    ASSERT_TRUE(report.ok()) << transport << ": " << report.status();
    EXPECT_EQ(report->bytes(), report->rooms() * 4096);
    EXPECT_GT(report->latency_us_p50(), 0);
    EXPECT_LE(report->latency_us_p50(), report->latency_us_p99());
    EXPECT_LE(report->latency_us_p99(), report->latency_us_max());
  }
}

TEST(Bench, GoesOnWhenGenerationsOfASlotBeginAnew) {
  BenchPlan plan = Small("shm", true);
  plan.shape.page_bytes = 64;
  plan.time = std::chrono::milliseconds(400);
  auto report = RunBenchHere(plan);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->rooms(), 1u);
}

TEST(Bench, RefusesWhatIsTooLarge) {
  BenchPlan plan = Small("tcp", false);
  plan.shape.pages = 1 << 20;
  EXPECT_EQ(ReasonOf(RunBenchHere(plan).status()), Reason::kTooLarge);
  plan.shape = {"pigeon", 1, 1};
  EXPECT_THAT(std::string(RunBenchHere(plan).status().message()),
              HasSubstr("no transport 'pigeon'"));
}

TEST(Bench, AVerbsPathWithoutADeviceSaysWhatWasTried) {
  auto report = RunBenchHere(Small("verbs", false));
  // On a host that has one the bench runs.
  if (!report.ok()) {
    EXPECT_EQ(ReasonOf(report.status()), Reason::kNoTransport) << report.status();
  }
}

// A target that is told `frame` first.
absl::Status Served(const v1::BenchFrame& frame) {
  auto pair = SocketPair();
  absl::Status served;
  std::thread target([&, socket = std::move(pair->second)]() mutable {
    served = ServeBench(std::move(socket), {});
  });
  FrameSocket source(std::move(pair->first));
  EXPECT_TRUE(source.Send(frame).ok());
  target.join();
  return served;
}

TEST(Bench, ATargetBelievesNothing) {
  v1::BenchFrame frame;
  EXPECT_EQ(ReasonOf(Served(frame)), Reason::kBadMessage) << "empty";
  frame.set_channel_open("x");
  EXPECT_EQ(ReasonOf(Served(frame)), Reason::kBadMessage) << "before the hello";
  frame.mutable_room()->set_pages(1);
  EXPECT_EQ(ReasonOf(Served(frame)), Reason::kBadMessage);
  frame.mutable_hello()->set_transport("tcp");
  frame.mutable_hello()->set_page_bytes(1 << 30);
  frame.mutable_hello()->set_pages(1 << 30);
  EXPECT_EQ(ReasonOf(Served(frame)), Reason::kTooLarge);
}

TEST(Bench, ASourceWithoutATargetNamesTheAddress) {
  auto socket = ConnectTo("127.0.0.1:1");
  EXPECT_EQ(ReasonOf(socket.status()), Reason::kPeerLost);
  EXPECT_THAT(std::string(socket.status().message()),
              HasSubstr("no batonctl bench serve at 127.0.0.1:1"));
}

TEST(Bench, ServesASourceOverTheNetwork) {
  std::string bound;
  auto listener = ListenAt("127.0.0.1:0", &bound);
  ASSERT_TRUE(listener.ok()) << listener.status();
  absl::Status served;
  std::thread target([&] { served = ServeBench(*AcceptOne(listener->get()), {}); });
  auto socket = ConnectTo(bound);
  ASSERT_TRUE(socket.ok()) << socket.status();
  auto report = RunBench(Small("tcp", false), *std::move(socket));
  target.join();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(served.ok()) << served;
  EXPECT_EQ(report->path(), "bound to 127.0.0.1");
  EXPECT_EQ(ReasonOf(ListenAt(bound, &bound).status()), Reason::kConfig);
}

}  // namespace
}  // namespace baton::ctl
