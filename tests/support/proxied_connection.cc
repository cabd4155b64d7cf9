#include "tests/support/proxied_connection.h"

#include <sys/socket.h>

#include <cerrno>

namespace baton {
namespace {

bool TryLater() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

int64_t ProxyPipe::Read(TimePoint due) {
  char buffer[64 << 10];
  const ssize_t got = recv(from_, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (got < 0) return TryLater() ? 0 : -1;
  if (got == 0) {
    ended_ = true;
    return 0;
  }
  // Order is kept though delays differ.
  if (!pieces_.empty() && due < pieces_.back().due) due = pieces_.back().due;
  pieces_.push_back({due, std::string(buffer, got)});
  waiting_ += got;
  return got;
}

int64_t ProxyPipe::Write(TimePoint now) {
  int64_t moved = 0;
  while (wants_write(now)) {
    std::string& bytes = pieces_.front().bytes;
    const ssize_t sent = send(to_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return TryLater() ? moved : -1;
    moved += sent;
    waiting_ -= sent;
    if (static_cast<size_t>(sent) < bytes.size()) {
      bytes.erase(0, sent);
      return moved;
    }
    pieces_.pop_front();
  }
  if (ended_ && pieces_.empty() && !shut_) {
    shutdown(to_, SHUT_WR);
    shut_ = true;
  }
  return moved;
}

void ProxiedConnection::Reset() {
  const linger now = {1, 0};
  for (UniqueFd* fd : {&client, &server}) {
    setsockopt(fd->get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    fd->Reset();
  }
  broken = true;
}

}  // namespace baton
