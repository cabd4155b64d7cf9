#include "common/accept_loop.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "common/mutex.h"
#include "tests/support/eventually.h"

namespace baton {
namespace {

// Holds what it is given.
class Taker {
 public:
  AcceptLoop::Take take() {
    return [this](UniqueFd fd) {
      MutexLock lock(&mu_);
      taken_.push_back(std::move(fd));
    };
  }
  size_t size() const {
    MutexLock lock(&mu_);
    return taken_.size();
  }
  void Drop() {
    MutexLock lock(&mu_);
    taken_.clear();
  }

 private:
  mutable Mutex mu_;
  std::vector<UniqueFd> taken_ ABSL_GUARDED_BY(mu_);
};

class AcceptLoopTest : public ::testing::Test {
 protected:
  void Listen(ConnectionLimits limits, First first = First::kClient) {
    auto fd = ListenTcp("127.0.0.1:0");
    ASSERT_TRUE(fd.ok()) << fd.status();
    const std::string bound = BoundAddress("127.0.0.1:0", fd->get());
    port_ = static_cast<uint16_t>(std::stoi(bound.substr(bound.rfind(':') + 1)));
    loop_ = std::make_unique<AcceptLoop>("test", *std::move(fd), limits, first, taker_.take());
  }

  // From 127.0.0.`from`.
  UniqueFd Connect(int from) {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in self = {};
    self.sin_family = AF_INET;
    self.sin_addr.s_addr = htonl(0x7f000000 + from);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&self), sizeof(self)), 0);
    sockaddr_in to = self;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port_);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    return fd;
  }
  // Waits for the loop to have seen them all.
  void Crowd(int count, int from) {
    const uint64_t before = taker_.size() + loop_->refused();
    for (int i = 0; i < count; ++i) clients_.push_back(Connect(from));
    ASSERT_TRUE(Eventually([&] { return taker_.size() + loop_->refused() == before + count; }));
  }

  Taker taker_;
  uint16_t port_ = 0;
  std::vector<UniqueFd> clients_;
  std::unique_ptr<AcceptLoop> loop_;
};

TEST_F(AcceptLoopTest, OnePeerLeavesRoomForOthers) {
  Listen({.all = 10, .of_peer = 5});
  Crowd(20, 1);
  EXPECT_EQ(taker_.size(), 5u);
  Crowd(3, 2);
  EXPECT_EQ(taker_.size(), 8u);
  Crowd(20, 3);
  EXPECT_EQ(taker_.size(), 10u);
  EXPECT_TRUE(loop_->health().ok());
}

TEST_F(AcceptLoopTest, DialsItselfPastTheLimitsWhereTheServerSpeaksFirst) {
  Listen({.all = 0, .of_peer = 0}, First::kServer);
  ASSERT_TRUE(Eventually([&] { return taker_.size() == 1; }));
  clients_.push_back(Connect(1));
  ASSERT_TRUE(Eventually([&] { return loop_->refused() == 1; }));
  EXPECT_TRUE(loop_->live());
}

TEST_F(AcceptLoopTest, ConnectionsThatHaveEndedMakeRoom) {
  Listen({.all = 4, .of_peer = 4});
  for (int round = 0; round < 3; ++round) {
    taker_.Drop();
    ASSERT_TRUE(Eventually([&] {
      clients_.push_back(Connect(1));
      return taker_.size() == 4;
    }));
  }
}

TEST_F(AcceptLoopTest, GoesOnAfterDescriptorsWereShort) {
  Listen({.all = 1000, .of_peer = 1000});
  clients_.push_back(Connect(1));
  ASSERT_TRUE(Eventually([&] { return taker_.size() == 1; }));
  clients_.push_back(UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  // All that are open stay, and the connections come from one that is made already.
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port_);
  EXPECT_EQ(connect(clients_.back().get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  const bool noticed = Eventually([&] { return loop_->refused() > 0; });
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(noticed);
  EXPECT_TRUE(loop_->live());
  ASSERT_TRUE(Eventually([&] {
    clients_.push_back(Connect(1));
    return taker_.size() >= 2;
  }));
  EXPECT_TRUE(loop_->health().ok());
}

TEST(ListenTcp, SaysWhatIsInTheWay) {
  EXPECT_EQ(ListenTcp("192.0.2.1:80").status().message(), "Cannot assign requested address");
  auto one = ListenTcp("127.0.0.1:0");
  ASSERT_TRUE(one.ok());
  const std::string taken = BoundAddress("127.0.0.1:0", one->get());
  EXPECT_EQ(ListenTcp(taken).status().message(), "Address already in use");
}

}  // namespace
}  // namespace baton
