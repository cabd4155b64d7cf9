// A listener that connects to itself now and then, and waits for the first byte that the server
// behind it says. A listener can be deaf while its threads turn: closed, taken away by its network
// namespace, or with a server behind that takes connections and never looks at them.
#ifndef BATON_COMMON_SELF_DIAL_H_
#define BATON_COMMON_SELF_DIAL_H_

#include <sys/socket.h>

#include <cstdint>

#include "common/clock.h"
#include "common/unique_fd.h"

namespace baton {

// Thread-compatible. No call blocks.
class SelfDial {
 public:
  // Longer than a busy server needs to greet: who fails here is started anew.
  static constexpr auto kDeafAfter = std::chrono::seconds(30);
  static constexpr auto kPeriod = std::chrono::seconds(5);

  // To where `listener`, a bound TCP socket, listens; a wildcard is dialled on loopback.
  explicit SelfDial(int listener);

  // To be called about once a second.
  void Turn(TimePoint now);
  // Whether an accepted connection of this remote address is the one that Turn made. Told by its
  // port alone: a stranger who has the same one passes for it once.
  bool IsOurs(const sockaddr_storage& from) const;
  // True: for so long no connection was answered. One that was closed unanswered was at least
  // accepted, as happens while descriptors are short, and a restart would not help.
  bool deaf(TimePoint now) const { return silent_since_ + kDeafAfter < now; }

 private:
  void Dial(TimePoint now);
  void Hear(TimePoint now);

  sockaddr_storage to_ = {};
  socklen_t to_bytes_ = 0;
  UniqueFd fd_;
  uint16_t port_ = 0;  // of fd_, in network order
  TimePoint next_;
  // No dial waits: the end of time.
  TimePoint silent_since_ = TimePoint::max() - kDeafAfter;
};

}  // namespace baton

#endif  // BATON_COMMON_SELF_DIAL_H_
