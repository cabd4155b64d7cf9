#include "transfer_agent/control/hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/reason.h"

namespace baton::control {
namespace {

using testing::HasSubstr;

Hello Sample() {
  Hello hello;
  hello.priority = Priority::kUrgent;
  hello.address = "10.0.0.7:7100";
  hello.epoch = Epoch(5);
  hello.peer_epoch = Epoch(6);
  hello.link = 3;
  hello.connection = 4;
  hello.delivered = 99;
  return hello;
}

TEST(Hello, SaysWhatItWasGiven) {
  auto parsed = ParseHello(MakeHello(Sample()));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->priority, Priority::kUrgent);
  EXPECT_EQ(parsed->address, "10.0.0.7:7100");
  EXPECT_EQ(parsed->epoch, Epoch(5));
  EXPECT_EQ(parsed->peer_epoch, Epoch(6));
  EXPECT_EQ(parsed->link, 3u);
  EXPECT_EQ(parsed->connection, 4u);
  EXPECT_EQ(parsed->delivered, 99u);
  EXPECT_EQ(parsed->planner_version, 1u);
}

TEST(Hello, AnotherProtocolIsRefusedByName) {
  v1::Frame frame = MakeHello(Sample());
  frame.mutable_hello()->set_protocol_major(2);
  absl::Status status = ParseHello(frame).status();
  EXPECT_EQ(ReasonOf(status), Reason::kPeerRefused);
  EXPECT_EQ(status.message(), "the peer speaks protocol 2, this agent 1");
}

TEST(Hello, TheHighestPlannerVersionThatBothKnowCounts) {
  v1::Frame frame = MakeHello(Sample());
  frame.mutable_hello()->set_planner_version_max(9);
  EXPECT_EQ(ParseHello(frame)->planner_version, 1u) << "a newer peer that knows ours";
  frame.mutable_hello()->set_planner_version_min(2);
  absl::Status status = ParseHello(frame).status();
  EXPECT_EQ(ReasonOf(status), Reason::kPlanDiffers);
  EXPECT_EQ(status.message(), "the peer has planner versions 2 to 9, this agent 1 to 1");
  frame.mutable_hello()->set_planner_version_min(0);
  frame.mutable_hello()->set_planner_version_max(0);
  EXPECT_EQ(ReasonOf(ParseHello(frame).status()), Reason::kPlanDiffers);
}

TEST(Hello, MissingFieldsAreNamed) {
  auto error = [](void (*spoil)(v1::Hello*)) {
    v1::Frame frame = MakeHello(Sample());
    spoil(frame.mutable_hello());
    return std::string(ParseHello(frame).status().message());
  };
  EXPECT_THAT(error([](v1::Hello* h) { h->clear_priority(); }), HasSubstr("priority 0"));
  EXPECT_THAT(error([](v1::Hello* h) { h->clear_agent_address(); }), HasSubstr("agent_address"));
  EXPECT_THAT(error([](v1::Hello* h) { h->set_agent_address(std::string(257, 'x')); }),
              HasSubstr("257 bytes"));
  EXPECT_THAT(error([](v1::Hello* h) { h->clear_epoch(); }), HasSubstr("epoch is 0"));
  EXPECT_THAT(error([](v1::Hello* h) { h->clear_link(); }), HasSubstr("link is 0"));
  EXPECT_EQ(ReasonOf(ParseHello(v1::Frame()).status()), Reason::kBadMessage);
}

TEST(Hello, FieldsOfANewerVersionPass) {
  std::string bytes = MakeHello(Sample()).hello().SerializeAsString();
  bytes += std::string("\xf2\x07\x03new", 6);  // field 126, three bytes
  v1::Frame frame;
  ASSERT_TRUE(frame.mutable_hello()->ParseFromString(bytes));
  EXPECT_TRUE(ParseHello(frame).ok());
}

TEST(Hello, AnAddressThatATerminalObeysIsRefused) {
  Hello hello;
  hello.priority = Priority::kBulk;
  hello.epoch = Epoch(1);
  hello.link = 1;
  for (const char* address : {"10.0.0.1:1\n", "\x1b[2J:1", "10.0.0.1\u202e:1"}) {
    hello.address = address;
    EXPECT_EQ(ReasonOf(ParseHello(MakeHello(hello)).status()), Reason::kBadMessage) << address;
  }
}

}  // namespace
}  // namespace baton::control
