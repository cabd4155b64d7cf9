// What a store holds, in numbers, for operators.
#ifndef BATON_BOOTSTRAP_SERVICE_STORE_STATS_H_
#define BATON_BOOTSTRAP_SERVICE_STORE_STATS_H_

#include <cstdint>
#include <map>
#include <utility>

#include "bootstrap_service/registry/server_states.h"
#include "common/ids.h"

namespace baton::registry {

struct StoreStats {
  struct Tally {
    uint64_t servers = 0;
    uint64_t ranks = 0;    // with a live lease
    uint64_t missing = 0;  // slots without
  };
  std::map<std::pair<Role, ServerPhase>, Tally> servers;
  uint64_t lease_expirations = 0;
  uint64_t bound_rooms = 0;
  uint64_t waiting_rooms = 0;
  uint64_t revision = 0;
  bool settled = false;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_STORE_STATS_H_
