// Names of rooms, unique over routers and over their restarts. Pure; thread-compatible.
//
// A router draws two numbers at its start: the nonce of all its rooms, and the first of its ids.
// The pair is new as long as no two routers ever draw the same nonce (64 random bits). For engines
// that know the id alone it is as good as 63 random bits among the rooms that are open together,
// and within one router it never comes twice: the step is odd, so that it visits every number.
#ifndef BATON_CLIENT_ROUTER_ROOM_NAMES_H_
#define BATON_CLIENT_ROUTER_ROOM_NAMES_H_

#include <cstdint>

#include "common/ids.h"

namespace baton::router {

class RoomNames {
 public:
  // Both from the system's source of random numbers.
  RoomNames(uint64_t nonce, uint64_t first) : nonce_(nonce), next_(first) {}

  // Ids fit a signed 64-bit integer, which is what some engines keep them in; the nonce is never 0,
  // which means "none".
  RoomKey Next() {
    next_ += kStep;
    return {next_ & INT64_MAX, nonce_ == 0 ? 1 : nonce_};
  }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15;

  const uint64_t nonce_;
  uint64_t next_;
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_ROOM_NAMES_H_
