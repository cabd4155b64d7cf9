// The time as the registry is told it.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_NOW_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_NOW_H_

#include <cstdint>

#include "common/clock.h"

namespace baton::registry {

struct Now {
  TimePoint time;        // never goes back
  uint64_t unix_ms = 0;  // may jump; incarnations alone depend on it
};

inline Now ReadClocks() { return {Monotonic::now(), UnixMillis()}; }

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_NOW_H_
