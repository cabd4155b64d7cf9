// What two workers on fake devices do, as Prometheus is told of it.
#include "transfer_agent/app/port_scrape.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transfer_agent/transport/verbs/fake_world.h"

namespace baton::agent {
namespace {

using testing::HasSubstr;
using testing::Not;
using transport::Node;
using transport::verbs::VerbsTransport;

struct Scraped : testing::Test {
  Scraped() { net.options.receive_queue = 8; }

  std::string Text(transport::World* world) {
    PortMetricsList ports;
    for (Node* node : {&world->source, &world->target}) {
      const auto& own = dynamic_cast<const VerbsTransport&>(*node->transport).rails().metrics();
      ports.insert(ports.end(), own.begin(), own.end());
    }
    metrics::Scrape scrape(metrics::Program::kAgent);
    AddPorts(ports, &scrape);
    return scrape.Text();
  }

  // Both look at the clock.
  static void Look(transport::World* world, Duration ahead = std::chrono::milliseconds(10)) {
    for (Node* node : {&world->source, &world->target}) {
      node->recorder.Poll(node->transport.get(), ahead);
    }
  }

  transport::verbs::Net net;
};

TEST_F(Scraped, PortsAreActiveWhileTheyAre) {
  transport::World world(net.candidate());
  Look(&world);
  EXPECT_THAT(Text(&world), HasSubstr("baton_port_active{port=\"fake0/1\"} 1\n"));
  net.net->SetPortActive("fake0", false);
  Look(&world, std::chrono::milliseconds(20));
  EXPECT_THAT(Text(&world), HasSubstr("baton_port_active{port=\"fake0/1\"} 0\n"));
}

TEST_F(Scraped, QueuePairsAndTheirWorkRequestsAreCountedWhileTheyAreThere) {
  transport::World world(net.candidate(), transport::verbs::kLarge, transport::verbs::kLarge);
  const transport::ChannelPair channel = world.Connect();
  net.net->set_work_per_poll(0);
  world.Send(channel.source, world.NewRoom(16 * 100));
  Look(&world);
  Look(&world, std::chrono::milliseconds(20));
  EXPECT_THAT(Text(&world), HasSubstr("baton_queue_pairs{port=\"fake0/1\",state=\"open\"} 2\n"));
  EXPECT_THAT(Text(&world), Not(HasSubstr("baton_work_requests_in_flight{port=\"fake0/1\"} 0\n")));
  net.net->set_work_per_poll(64);
  world.Settle();
  Look(&world, std::chrono::milliseconds(30));
  EXPECT_THAT(Text(&world), HasSubstr("baton_work_requests_in_flight{port=\"fake0/1\"} 0\n"));
  world.source.transport->ForgetPeer(transport::World::kTarget);
  Look(&world, std::chrono::milliseconds(40));
  EXPECT_THAT(Text(&world), HasSubstr("baton_queue_pairs{port=\"fake0/1\",state=\"open\"} 1\n"));
  EXPECT_THAT(Text(&world), HasSubstr("baton_queue_pairs{port=\"fake0/1\",state=\"reset\"} 1\n"));
}

TEST_F(Scraped, BytesAreCountedAtThePortThatTookThem) {
  transport::World world(net.candidate());
  const transport::ChannelPair channel = world.Connect();
  EXPECT_THAT(Text(&world), HasSubstr("baton_port_sent_bytes_total{port=\"fake0/1\"} 0\n"));
  world.Send(channel.source, world.NewRoom(100));
  world.Settle();
  const uint64_t sent = world.source.transport->counters().bytes_sent;
  ASSERT_GT(sent, 0u);
  EXPECT_THAT(Text(&world), HasSubstr("baton_port_sent_bytes_total{port=\"fake0/1\"} " +
                                      std::to_string(sent) + "\n"));
}

TEST_F(Scraped, FailuresAreCountedByWhatTheDeviceSaid) {
  transport::World world(net.candidate());
  const transport::ChannelPair channel = world.Connect();
  EXPECT_THAT(Text(&world), Not(HasSubstr("baton_completion_errors_total{")));
  net.net->faults().fail = 1000;
  world.Send(channel.source, world.NewRoom(100));
  ASSERT_TRUE(world.Drive([&] { return world.source.recorder.is_down(channel.source); }));
  EXPECT_THAT(Text(&world), HasSubstr("baton_completion_errors_total{port=\"fake0/1\",status="
                                      "\"retry_exceeded\"} 1\n"));
  EXPECT_THAT(Text(&world), HasSubstr("baton_port_pauses_total{port=\"fake0/1\"} 1\n"));
}

TEST_F(Scraped, PartsThatWaitForACreditAreCounted) {
  transport::World world(net.candidate(), transport::verbs::kLarge, transport::verbs::kLarge);
  const transport::ChannelPair channel = world.Connect();
  EXPECT_THAT(Text(&world), HasSubstr("baton_credit_waits_total{port=\"fake0/1\"} 0\n"));
  // More parts than the target has receives, while it does not look.
  for (int i = 0; i < 12; ++i) world.Send(channel.source, world.NewRoom(16));
  for (int i = 0; i < 50; ++i) world.source.recorder.Poll(world.source.transport.get());
  EXPECT_THAT(Text(&world), Not(HasSubstr("baton_credit_waits_total{port=\"fake0/1\"} 0\n")));
}

}  // namespace
}  // namespace baton::agent
