#include "tests/support/cut_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/eventually.h"

namespace baton {
namespace {

using std::chrono::milliseconds;

// A server that sends back what it gets, and a client of it through the proxy.
class CutProxyTest : public testing::Test {
 protected:
  CutProxyTest() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    target_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    echo_ = std::thread([this] { Echo(); });
  }
  ~CutProxyTest() override {
    shutdown(listener_.get(), SHUT_RDWR);
    echo_.join();
    for (std::thread& served : served_) served.join();
  }

  void Echo() {
    while (true) {
      const int fd = accept(listener_.get(), nullptr, nullptr);
      if (fd < 0) return;
      served_.emplace_back([owned = UniqueFd(fd)] {
        char buffer[4096];
        while (true) {
          const ssize_t got = recv(owned.get(), buffer, sizeof(buffer), 0);
          if (got <= 0 || send(owned.get(), buffer, got, MSG_NOSIGNAL) != got) return;
        }
      });
    }
  }
  static UniqueFd Dial(const CutProxy& proxy) {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(std::stoi(proxy.address().substr(proxy.address().rfind(':') + 1)));
    UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    return fd;
  }
  // What comes back of `text`; shorter where the connection ends.
  static std::string RoundTrip(int fd, const std::string& text) {
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) return "";
    std::string back;
    char buffer[4096];
    while (back.size() < text.size()) {
      const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      back.append(buffer, got);
    }
    return back;
  }

  UniqueFd listener_;
  std::string target_;
  std::thread echo_;
  std::vector<std::thread> served_;
};

TEST_F(CutProxyTest, PassesBytesBothWays) {
  CutProxy proxy(target_, 1);
  UniqueFd fd = Dial(proxy);
  std::string text(300000, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7);
  std::string back;
  std::thread writer([&] { send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL); });
  char buffer[4096];
  while (back.size() < text.size()) {
    const ssize_t got = recv(fd.get(), buffer, sizeof(buffer), 0);
    ASSERT_GT(got, 0);
    back.append(buffer, got);
  }
  writer.join();
  EXPECT_EQ(back, text);
  EXPECT_TRUE(Eventually([&] { return proxy.counters().bytes == 2 * text.size(); }));
}

TEST_F(CutProxyTest, AnOrderlyEndPasses) {
  CutProxy proxy(target_, 1);
  UniqueFd fd = Dial(proxy);
  ASSERT_EQ(RoundTrip(fd.get(), "hello"), "hello");
  shutdown(fd.get(), SHUT_WR);
  char byte;
  EXPECT_EQ(recv(fd.get(), &byte, 1, 0), 0);
}

TEST_F(CutProxyTest, CutAllResetsWhatIsOpen) {
  CutProxy proxy(target_, 1);
  UniqueFd fd = Dial(proxy);
  ASSERT_EQ(RoundTrip(fd.get(), "hello"), "hello");
  proxy.CutAll();
  char byte;
  EXPECT_EQ(recv(fd.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_EQ(proxy.counters().cuts, 1u);
  EXPECT_EQ(RoundTrip(Dial(proxy).get(), "again"), "again") << "new connections pass";
}

TEST_F(CutProxyTest, CutsAfterSoManyBytes) {
  CutProxy proxy(target_, 1);
  proxy.SetFaults({.stall = false, .cut_after_bytes = 1000, .delay = {}, .jitter = {}});
  UniqueFd fd = Dial(proxy);
  uint64_t passed = 0;
  while (RoundTrip(fd.get(), std::string(100, 'x')).size() == 100) {
    passed += 200;
    ASSERT_LE(passed, 2200u);
  }
  EXPECT_TRUE(Eventually([&] { return proxy.counters().cuts == 1; }));
}

TEST_F(CutProxyTest, AStallHoldsBytesUntilItEnds) {
  CutProxy proxy(target_, 1);
  UniqueFd fd = Dial(proxy);
  ASSERT_EQ(RoundTrip(fd.get(), "before"), "before");
  const uint64_t before = 2 * 6;
  ASSERT_TRUE(Eventually([&] { return proxy.counters().bytes == before; }));
  proxy.SetFaults({.stall = true, .cut_after_bytes = 0, .delay = {}, .jitter = {}});
  ASSERT_EQ(send(fd.get(), "held", 4, 0), 4);
  const timeval brief = {0, 50000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof(brief));
  char buffer[8];
  EXPECT_EQ(recv(fd.get(), buffer, sizeof(buffer), 0), -1);
  EXPECT_EQ(proxy.counters().bytes, before);
  proxy.SetFaults({});
  const timeval forever = {60, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
  EXPECT_EQ(recv(fd.get(), buffer, sizeof(buffer), 0), 4);
}

TEST_F(CutProxyTest, DelaysEachWay) {
  CutProxy proxy(target_, 1);
  proxy.SetFaults(
      {.stall = false, .cut_after_bytes = 0, .delay = milliseconds(20), .jitter = milliseconds(5)});
  UniqueFd fd = Dial(proxy);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(RoundTrip(fd.get(), "slow"), "slow");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(40));
}

TEST_F(CutProxyTest, AnAbsentTargetClosesTheClient) {
  std::string nowhere;
  {
    CutProxy gone(target_, 1);
    nowhere = gone.address();
  }
  CutProxy proxy(nowhere, 1);
  EXPECT_EQ(RoundTrip(Dial(proxy).get(), "hello"), "");
}

}  // namespace
}  // namespace baton
