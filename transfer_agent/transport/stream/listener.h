// Accepts connections and finds out which channel each belongs to. A connection that has not shown
// its token yet is worth nothing: few of them are kept, for a short time. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LISTENER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LISTENER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/frame.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

inline constexpr size_t kStrangersMax = 64;

class Listener {
 public:
  struct Greeted {
    ChannelId channel;
    UniqueFd fd;
  };

  // Connections are registered with `epoll_fd` under kStrangerBit | number.
  Listener(UniqueFd fd, int epoll_fd, Duration patience);

  static constexpr uint64_t kStrangerBit = 1ull << 63;

  int fd() const { return fd_.get(); }

  // Expects one connection for `channel`; the token is for its opener alone.
  absl::StatusOr<Token> Expect(ChannelId channel);
  void Forget(ChannelId channel);

  // After an event of the listening socket. The oldest stranger makes room for the newest.
  void AcceptAll(TimePoint now);
  // After an event of a stranger. A connection that showed the token of an expected channel.
  std::optional<Greeted> Hear(uint64_t number);
  // Strangers that said nothing in time are shown out.
  void Expire(TimePoint now);
  // When Expire has something to do next.
  std::optional<TimePoint> NextExpiry() const;

  uint64_t refused() const { return refused_; }

 private:
  struct Stranger {
    uint64_t number;
    UniqueFd fd;
    TimePoint deadline;
    FrameBuffer hello;
    size_t filled = 0;
  };
  std::optional<ChannelId> Take(const Token& token);

  UniqueFd fd_;
  const int epoll_fd_;
  const Duration patience_;
  uint64_t last_number_ = 0;
  uint64_t refused_ = 0;
  std::deque<Stranger> strangers_;  // oldest first
  // By the beginning of the token, which may be guessed; the rest is compared.
  absl::flat_hash_map<uint64_t, std::pair<ChannelId, Token>> expected_;
  absl::flat_hash_map<ChannelId, uint64_t> beginnings_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_LISTENER_H_
