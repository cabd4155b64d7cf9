// Messages over a stream socket, for two benches that talk. Thread-compatible.
#ifndef BATON_CLIENT_CTL_BENCH_FRAME_SOCKET_H_
#define BATON_CLIENT_CTL_BENCH_FRAME_SOCKET_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/bench.pb.h"
#include "common/unique_fd.h"

namespace baton::ctl {

class FrameSocket {
 public:
  explicit FrameSocket(UniqueFd fd);

  // Waits while the socket is full, at most a second.
  absl::Status Send(const v1::BenchFrame& frame);
  // Nullopt: no whole message is here yet. PEER_LOST when the other end has gone, BAD_MESSAGE for
  // what is no message or too long, and what the other end said in `failed`.
  absl::StatusOr<std::optional<v1::BenchFrame>> Receive();

  int fd() const { return fd_.get(); }
  // Numeric, without the port: of this end. Empty where the socket has none.
  std::string LocalHost() const;

 private:
  UniqueFd fd_;
  std::string received_;
};

// A pair that is connected, for both ends in one process.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> SocketPair();
// A listener at host:port; `bound` is where. CONFIG for what cannot be bound.
absl::StatusOr<UniqueFd> ListenAt(const std::string& address, std::string* bound);
absl::StatusOr<UniqueFd> AcceptOne(int listener);
// PEER_LOST when nobody answers within 5 s.
absl::StatusOr<UniqueFd> ConnectTo(const std::string& address);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_BENCH_FRAME_SOCKET_H_
