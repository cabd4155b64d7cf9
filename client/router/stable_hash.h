// Hashes that are equal in every process and every version: routers agree on them.
#ifndef BATON_CLIENT_ROUTER_STABLE_HASH_H_
#define BATON_CLIENT_ROUTER_STABLE_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace baton::router {

// A bijection that spreads every bit over all others.
constexpr uint64_t Mix(uint64_t x) {
  x ^= x >> 32;
  x *= 0xe9846af9b1a615d;
  x ^= x >> 32;
  x *= 0xe9846af9b1a615d;
  x ^= x >> 28;
  return x;
}

constexpr uint64_t StableHash(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Mix(hash);
}

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_STABLE_HASH_H_
