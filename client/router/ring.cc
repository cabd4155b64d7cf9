#include "client/router/ring.h"

#include "client/router/stable_hash.h"

namespace baton::router {
namespace {

uint64_t ArcOf(uint64_t name, uint32_t arc) { return Mix(name + arc * 0x9e3779b97f4a7c15); }

}  // namespace

void Ring::Add(absl::string_view name, uint32_t id) {
  const uint64_t hash = StableHash(name);
  // Of two servers with one point (once in 2^40 for thousands of them) the first keeps it.
  for (uint32_t arc = 0; arc < kArcs; ++arc) arcs_.emplace(ArcOf(hash, arc), id);
}

void Ring::Remove(absl::string_view name) {
  const uint64_t hash = StableHash(name);
  for (uint32_t arc = 0; arc < kArcs; ++arc) arcs_.erase(ArcOf(hash, arc));
}

}  // namespace baton::router
