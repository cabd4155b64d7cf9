// What a router asks for, and what it gets: both legs of one room.
#ifndef BATON_CLIENT_ROUTER_ROUTE_H_
#define BATON_CLIENT_ROUTER_ROUTE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "baton/v1/registry.pb.h"
#include "common/ids.h"

namespace baton {

enum class Policy : uint8_t {
  kRoundRobin,
  // The less loaded of two drawn at random: near the best, and routers that know the same do not
  // run to the same server.
  kPowerOfTwo,
  kLeastLoaded,
  // Requests of one prefix key go to the same pair, in every router. Load is not looked at.
  kConsistentHash,
  // The prefill server nearest to this router, then the decode server nearest to that one; the
  // least loaded where several are equally near.
  kLocality,
};

struct PickRequest {
  absl::string_view model;
  Policy policy = Policy::kPowerOfTwo;
  // kConsistentHash: requests that share their prompt's beginning share the key.
  absl::string_view prefix_key;
  // Names of servers to pass over: those that this request has failed on. At most kAvoidedMax are
  // looked at.
  absl::Span<const std::string> avoid;

  static constexpr size_t kAvoidedMax = 16;
};

struct Leg {
  // As it was when picked. Its labels say how its engine is reached.
  std::shared_ptr<const v1::ServerRecord> server;
  uint32_t dp = 0;
};

struct Route {
  RoomKey room;
  Leg prefill;
  Leg decode;
};

}  // namespace baton

#endif  // BATON_CLIENT_ROUTER_ROUTE_H_
