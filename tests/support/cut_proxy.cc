#include "tests/support/cut_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/log.h"

namespace baton {
namespace {

using std::chrono::milliseconds;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

uint16_t PortOf(const std::string& address) {
  std::vector<std::string> parts = absl::StrSplit(address, ':');
  uint32_t port;
  CHECK(parts.size() == 2 && absl::SimpleAtoi(parts[1], &port)) << address;
  return static_cast<uint16_t>(port);
}

// A connection that is being made may be written to only when it is there: connect blocks, which on
// loopback is at once or refused.
UniqueFd Connect(uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = Loopback(port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) return UniqueFd();
  return fd;
}

}  // namespace

CutProxy::CutProxy(const std::string& target, uint64_t seed)
    : target_port_(PortOf(target)), random_(seed) {
  listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  CHECK_EQ(bind(listener_.get(), raw, size), 0);
  CHECK_EQ(listen(listener_.get(), 64), 0);
  CHECK_EQ(getsockname(listener_.get(), raw, &size), 0);
  address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  wake_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  thread_ = std::thread([this] { Run(); });
}

CutProxy::~CutProxy() {
  {
    MutexLock lock(&mu_);
    stop_ = true;
  }
  Wake();
  thread_.join();
}

void CutProxy::SetFaults(const ProxyFaults& faults) {
  {
    MutexLock lock(&mu_);
    faults_ = faults;
  }
  Wake();
}

void CutProxy::CutAll() {
  MutexLock lock(&mu_);
  cut_all_ = true;
  Wake();
  while (cut_all_) cut_.WaitUntil(&mu_, Monotonic::now() + std::chrono::seconds(1));
}

CutProxy::Counters CutProxy::counters() const {
  MutexLock lock(&mu_);
  return counters_;
}

void CutProxy::Wake() {
  const uint64_t one = 1;
  CHECK_EQ(write(wake_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
}

void CutProxy::Run() {
  while (true) {
    int timeout_ms;
    std::vector<pollfd> set = PollSet(&timeout_ms);
    poll(set.data(), set.size(), timeout_ms);
    uint64_t ignored;
    if (read(wake_.get(), &ignored, sizeof(ignored)) < 0) ignored = 0;
    {
      MutexLock lock(&mu_);
      if (stop_) return;
      current_ = faults_;
      if (cut_all_) {
        for (ProxiedConnection& connection : connections_) connection.Reset();
        counters_.cuts += connections_.size();
        connections_.clear();
        cut_all_ = false;
        cut_.NotifyAll();
        continue;
      }
    }
    if (current_.stall) continue;
    if (set[0].revents != 0) Accept();
    Serve(set);
    connections_.remove_if([](const ProxiedConnection& c) {
      return c.broken || (c.pipes[0].finished() && c.pipes[1].finished());
    });
  }
}

// The listener, the wake-up, then four entries for each connection: reader and writer of each pipe.
std::vector<pollfd> CutProxy::PollSet(int* timeout_ms) {
  std::vector<pollfd> set = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
  *timeout_ms = 1000;
  if (current_.stall) set[0].events = 0;
  const TimePoint now = Monotonic::now();
  for (const ProxiedConnection& connection : connections_) {
    if (current_.stall) break;
    for (const ProxyPipe& pipe : connection.pipes) {
      const bool write = pipe.wants_write(now);
      set.push_back({pipe.wants_read() ? pipe.from() : -1, POLLIN, 0});
      set.push_back({write ? pipe.to() : -1, POLLOUT, 0});
      if (!write && pipe.due() != TimePoint::max()) {
        *timeout_ms = std::min<int>(*timeout_ms, MillisLeft(pipe.due(), now, 1000));
      }
    }
  }
  return set;
}

void CutProxy::Accept() {
  UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client) return;
  UniqueFd server = Connect(target_port_);
  if (!server) return;  // the client sees its connection close
  connections_.emplace_back(std::move(client), std::move(server));
  MutexLock lock(&mu_);
  ++counters_.connections;
}

void CutProxy::Serve(const std::vector<pollfd>& ready) {
  const TimePoint now = Monotonic::now();
  // A connection that was accepted in this round has no entries yet.
  size_t entry = 2;
  uint64_t moved = 0, cuts = 0;
  for (ProxiedConnection& connection : connections_) {
    for (size_t way : {0, 1}) {
      if (connection.broken) break;
      ProxyPipe& pipe = connection.pipes[way];
      const size_t at = entry + 2 * way;
      const bool readable = at < ready.size() && ready[at].revents != 0;
      const auto jitter = milliseconds(random_() % (current_.jitter.count() + 1));
      const int64_t got = readable ? pipe.Read(now + current_.delay + jitter) : 0;
      const int64_t sent = pipe.Write(now);
      if (got < 0 || sent < 0) {
        connection.Reset();
        break;
      }
      moved += sent;
      connection.bytes_left -= std::min<uint64_t>(connection.bytes_left, sent);
    }
    entry += 4;
    if (connection.broken || current_.cut_after_bytes == 0) continue;
    if (!std::exchange(connection.counts_bytes, true)) {
      connection.bytes_left = 1 + random_() % (2 * current_.cut_after_bytes);
    }
    if (connection.bytes_left > 0) continue;
    connection.Reset();
    ++cuts;
  }
  MutexLock lock(&mu_);
  counters_.bytes += moved;
  counters_.cuts += cuts;
}

}  // namespace baton
