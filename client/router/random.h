// A small generator for choices that need no secrecy: the pick of a server is its hot path.
#ifndef BATON_CLIENT_ROUTER_RANDOM_H_
#define BATON_CLIENT_ROUTER_RANDOM_H_

#include <cstdint>

#include "client/router/stable_hash.h"

namespace baton::router {

// Thread-compatible.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15); }
  // In [0, n); n > 0.
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * n) >> 64);
  }

 private:
  uint64_t state_;
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_RANDOM_H_
