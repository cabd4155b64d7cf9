// How many connections a listener may hold, in all and from one address. Nobody says when one has
// ended: its descriptor is then no more, or another file's.
#ifndef BATON_COMMON_CONNECTION_QUOTA_H_
#define BATON_COMMON_CONNECTION_QUOTA_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/clock.h"

namespace baton {

struct ConnectionLimits {
  size_t all = 0;
  // From one address; others keep the rest.
  size_t of_peer = 0;
};

// Thread-compatible.
class ConnectionQuota {
 public:
  explicit ConnectionQuota(ConnectionLimits limits) : limits_(limits) {}

  // Whether there is room for one more of `peer`. Looks for ended ones when there seems to be none,
  // ten times a second at most.
  bool HasRoom(const std::string& peer, TimePoint now);
  // From now on the connection counts. False: `fd` is no socket.
  bool Add(int fd, const std::string& peer);

  size_t held() const { return held_.size(); }
  ConnectionLimits limits() const { return limits_; }

 private:
  struct Held {
    uint64_t inode = 0;
    std::string peer;
  };

  bool IsFull(const std::string& peer) const;
  void Sweep();
  void Leave(const std::string& peer);

  const ConnectionLimits limits_;
  std::map<int, Held> held_;  // by descriptor
  std::map<std::string, size_t> of_peer_;
  TimePoint swept_;
};

}  // namespace baton

#endif  // BATON_COMMON_CONNECTION_QUOTA_H_
