// Two ends of a connection of this process: each is found by what the other one is called.
#include "client/router/app/client_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/unique_fd.h"
#include "gtest/gtest.h"

namespace baton::proxy {
namespace {

int PortOf(int socket) {
  sockaddr_in address = {};
  socklen_t bytes = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &bytes);
  return ntohs(address.sin_port);
}

class ClientSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    UniqueFd listener(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(address);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(listener.get(), plain, bytes), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    ASSERT_EQ(getsockname(listener.get(), plain, &bytes), 0);
    client_ = UniqueFd(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(client_.get(), plain, bytes), 0);
    server_ = UniqueFd(accept(listener.get(), nullptr, nullptr));
    ASSERT_GE(server_.get(), 0);
  }

  UniqueFd client_;
  UniqueFd server_;
};

TEST_F(ClientSocketTest, AConnectionIsFoundByItsEnds) {
  const int client_port = PortOf(client_.get());
  const int server_port = PortOf(server_.get());
  EXPECT_EQ(FindConnection("127.0.0.1", client_port, server_port), server_.get());
  EXPECT_EQ(FindConnection("127.0.0.1", server_port, client_port), client_.get());
  EXPECT_EQ(FindConnection("127.0.0.1", client_port, client_port), -1);
  EXPECT_EQ(FindConnection("127.0.0.2", client_port, server_port), -1);
}

TEST_F(ClientSocketTest, APeerIsGoneWhenItHasClosedAndNotWhileItSpeaks) {
  EXPECT_FALSE(PeerIsGone(server_.get()));
  ASSERT_EQ(send(client_.get(), "x", 1, 0), 1);
  char byte;
  ASSERT_EQ(recv(server_.get(), &byte, 1, MSG_PEEK), 1);  // it has arrived
  EXPECT_FALSE(PeerIsGone(server_.get()));
  ASSERT_EQ(recv(server_.get(), &byte, 1, 0), 1);
  client_ = UniqueFd();
  ASSERT_EQ(recv(server_.get(), &byte, 1, MSG_PEEK), 0);  // so has the end
  EXPECT_TRUE(PeerIsGone(server_.get()));
}

}  // namespace
}  // namespace baton::proxy
