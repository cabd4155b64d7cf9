// The policies: one server out of several pools. Pure; thread-compatible.
#ifndef BATON_CLIENT_ROUTER_CHOOSE_H_
#define BATON_CLIENT_ROUTER_CHOOSE_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "client/router/pool.h"
#include "client/router/random.h"

namespace baton::router {

// Where a choice may fall.
struct Candidates {
  absl::InlinedVector<const Pool*, 8> pools;
  absl::InlinedVector<uint32_t, 4> avoid;  // entries that must not be chosen

  bool Avoided(uint32_t id) const {
    return std::find(avoid.begin(), avoid.end(), id) != avoid.end();
  }
};

// An entry, or nothing when all are avoided.
using Choice = std::optional<uint32_t>;

// One after the other; the pools' members in a fixed order as long as none comes or goes.
Choice ChooseInTurn(const Candidates& from, uint64_t* turn);
// The less loaded of two drawn at random.
Choice ChooseOfTwo(const Candidates& from, Random* random);
// The least loaded at `place`.
Choice ChooseLeast(const Candidates& from, uint64_t place = kEverywhere);
// The least loaded of those that share the most of `places`.
Choice ChooseNearest(const Candidates& from, const Places& places);
// The owner of a point of the circle.
Choice ChooseOwner(const Candidates& from, uint64_t point);

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_CHOOSE_H_
