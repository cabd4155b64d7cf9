#include "client/router/app/client_socket.h"

#include <dirent.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "absl/strings/numbers.h"

namespace baton::proxy {
namespace {

struct Closer {
  void operator()(DIR* folder) const { closedir(folder); }
};

using NameCall = int (*)(int, sockaddr*, socklen_t*);

// One end of a connection in digits; false when it has none.
bool NameOf(int socket, NameCall call, std::string* host, int* port) {
  sockaddr_storage address = {};
  socklen_t bytes = sizeof(address);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  char host_text[NI_MAXHOST];
  char port_text[NI_MAXSERV];
  if (call(socket, plain, &bytes) != 0 ||
      getnameinfo(plain, bytes, host_text, sizeof(host_text), port_text, sizeof(port_text),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return false;
  }
  *host = host_text;
  return absl::SimpleAtoi(port_text, port);
}

}  // namespace

int FindConnection(const std::string& peer_address, int peer_port, int own_port) {
  const std::unique_ptr<DIR, Closer> open(opendir("/proc/self/fd"));
  if (open == nullptr) return -1;
  while (const dirent* entry = readdir(open.get())) {
    int socket = -1;
    std::string host;
    int port = 0;
    if (!absl::SimpleAtoi(entry->d_name, &socket)) continue;
    if (!NameOf(socket, getpeername, &host, &port)) continue;
    if (port != peer_port || host != peer_address) continue;
    if (NameOf(socket, getsockname, &host, &port) && port == own_port) return socket;
  }
  return -1;
}

bool PeerIsGone(int socket) {
  char byte;
  const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace baton::proxy
