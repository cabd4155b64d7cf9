#include "common/self_dial.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "common/accept_loop.h"

namespace baton {
namespace {

class SelfDialTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto fd = ListenTcp(GetParam());
    ASSERT_TRUE(fd.ok()) << fd.status();
    listener_ = *std::move(fd);
  }
  // The connection that the last Turn made.
  UniqueFd Accept(const SelfDial& dial) {
    pollfd wait = {listener_.get(), POLLIN, 0};
    EXPECT_EQ(poll(&wait, 1, 10000), 1);
    sockaddr_storage from = {};
    socklen_t bytes = sizeof(from);
    UniqueFd fd(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &bytes, SOCK_CLOEXEC));
    EXPECT_TRUE(dial.IsOurs(from));
    return fd;
  }
  // Turns a second at a time.
  void Pass(SelfDial* dial, std::chrono::seconds time) {
    for (; time.count() > 0; time -= std::chrono::seconds(1)) {
      now_ += std::chrono::seconds(1);
      dial->Turn(now_);
    }
  }

  UniqueFd listener_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
};

TEST_P(SelfDialTest, WhoGreetsIsNeverDeaf) {
  SelfDial dial(listener_.get());
  for (int i = 0; i < 20; ++i) {
    Pass(&dial, SelfDial::kPeriod - std::chrono::seconds(1));
    const UniqueFd taken = Accept(dial);
    ASSERT_EQ(write(taken.get(), "!", 1), 1);
    Pass(&dial, std::chrono::seconds(1));
    EXPECT_FALSE(dial.deaf(now_)) << i;
  }
}

TEST_P(SelfDialTest, AServerThatTakesAndSaysNothingIsDeafAndHeardAgain) {
  SelfDial dial(listener_.get());
  Pass(&dial, std::chrono::seconds(1));
  UniqueFd taken = Accept(dial);
  Pass(&dial, SelfDial::kDeafAfter);
  EXPECT_FALSE(dial.deaf(now_));
  Pass(&dial, std::chrono::seconds(1));
  EXPECT_TRUE(dial.deaf(now_));
  taken = Accept(dial);  // the next one
  ASSERT_EQ(write(taken.get(), "!", 1), 1);
  Pass(&dial, std::chrono::seconds(1));
  EXPECT_FALSE(dial.deaf(now_));
}

TEST_P(SelfDialTest, APortWhereNobodyListensIsDeaf) {
  SelfDial dial(listener_.get());
  listener_.Reset();
  Pass(&dial, SelfDial::kDeafAfter);
  EXPECT_FALSE(dial.deaf(now_));
  Pass(&dial, std::chrono::seconds(2));
  EXPECT_TRUE(dial.deaf(now_));
}

TEST_P(SelfDialTest, WhatIsClosedUnansweredWasAccepted) {
  SelfDial dial(listener_.get());
  for (int i = 0; i < 20; ++i) {
    Pass(&dial, std::chrono::seconds(4));
    Accept(dial).Reset();
    Pass(&dial, std::chrono::seconds(1));
    EXPECT_FALSE(dial.deaf(now_));
  }
}

TEST_P(SelfDialTest, AStrangerIsNotOurs) {
  const SelfDial dial(listener_.get());
  sockaddr_storage from = {};
  from.ss_family = AF_INET;
  EXPECT_FALSE(dial.IsOurs(from));
  reinterpret_cast<sockaddr_in&>(from).sin_port = htons(4711);
  EXPECT_FALSE(dial.IsOurs(from));
}

INSTANTIATE_TEST_SUITE_P(Addresses, SelfDialTest,
                         ::testing::Values("127.0.0.1:0", "0.0.0.0:0", "127.9.9.9:0"),
                         [](const auto& info) {
                           return std::string(1, static_cast<char>('a' + info.index));
                         });

}  // namespace
}  // namespace baton
