#include "admin/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/unique_fd.h"

namespace baton::admin {
namespace {

UniqueFd Dial(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
    return UniqueFd();
  }
  to.sin_port = htons(port);
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval limit = {30, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0) return UniqueFd();
  return fd;
}

}  // namespace

HttpReply SendHttp(const std::string& address, absl::string_view bytes) {
  HttpReply reply;
  UniqueFd fd = Dial(address);
  if (!fd) return reply;
  if (send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return reply;
  std::string all;
  char buffer[65536];
  for (ssize_t n; (n = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0;) all.append(buffer, n);
  const size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos || all.size() < 12) return reply;
  if (!absl::SimpleAtoi(all.substr(9, 3), &reply.status)) reply.status = 0;
  reply.head = all.substr(0, end + 2);
  reply.body = all.substr(end + 4);
  return reply;
}

HttpReply HttpGet(const std::string& address, absl::string_view path, absl::string_view method) {
  return SendHttp(address, absl::StrCat(method, " ", path, " HTTP/1.1\r\nHost: ", address,
                                        "\r\nConnection: close\r\n\r\n"));
}

}  // namespace baton::admin
