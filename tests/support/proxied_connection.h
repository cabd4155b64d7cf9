// One connection through a CutProxy: two sockets and what is on its way between them.
#ifndef BATON_TESTS_SUPPORT_PROXIED_CONNECTION_H_
#define BATON_TESTS_SUPPORT_PROXIED_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <string>

#include "common/clock.h"
#include "common/unique_fd.h"

namespace baton {

struct ProxyFaults {
  // Nothing moves, and nothing is closed: as if the other end were stopped.
  bool stall = false;
  // A connection is reset after about so many bytes (uniform in 1 to twice as many); 0: never.
  uint64_t cut_after_bytes = 0;
  // Each piece waits for delay, and up to jitter more. Order is kept.
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds jitter{0};
};

// Bytes on their way in one direction. Thread-compatible.
class ProxyPipe {
 public:
  ProxyPipe(int from, int to) : from_(from), to_(to) {}

  bool wants_read() const { return !ended_ && waiting_ < kWaitingMax; }
  bool wants_write(TimePoint now) const { return !pieces_.empty() && pieces_.front().due <= now; }
  // When the first piece is due, or max.
  TimePoint due() const { return pieces_.empty() ? TimePoint::max() : pieces_.front().due; }
  int from() const { return from_; }
  int to() const { return to_; }

  // Bytes moved; -1: the socket is broken.
  int64_t Read(TimePoint due);
  int64_t Write(TimePoint now);
  bool finished() const { return shut_; }

 private:
  static constexpr size_t kWaitingMax = 256 << 10;
  struct Piece {
    TimePoint due;
    std::string bytes;
  };

  int from_;
  int to_;
  std::deque<Piece> pieces_;
  size_t waiting_ = 0;
  bool ended_ = false;  // the sender has said all
  bool shut_ = false;   // and the receiver knows
};

struct ProxiedConnection {
  ProxiedConnection(UniqueFd client_fd, UniqueFd server_fd)
      : client(std::move(client_fd)),
        server(std::move(server_fd)),
        pipes{ProxyPipe(client.get(), server.get()), ProxyPipe(server.get(), client.get())} {}

  // Both ends see a reset, not an orderly end.
  void Reset();

  UniqueFd client;
  UniqueFd server;
  ProxyPipe pipes[2];
  // Reset when so many bytes more have passed; drawn when the fault is on.
  uint64_t bytes_left = 0;
  bool counts_bytes = false;
  bool broken = false;
};

}  // namespace baton

#endif  // BATON_TESTS_SUPPORT_PROXIED_CONNECTION_H_
