// Consistent hashing: each server owns many arcs of a circle, and a key belongs to the server whose
// arc it falls into. A server that comes or goes moves only the keys of its own arcs, and all
// routers agree, for the circle depends on nothing but the servers' names. Pure; thread-compatible.
#ifndef BATON_CLIENT_ROUTER_RING_H_
#define BATON_CLIENT_ROUTER_RING_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"

namespace baton::router {

class Ring {
 public:
  // Arcs of one server: the shares of servers then differ by about a tenth.
  static constexpr uint32_t kArcs = 128;

  using Arcs = absl::btree_map<uint64_t, uint32_t>;

  void Add(absl::string_view name, uint32_t id);
  void Remove(absl::string_view name);

  // Ends of arcs in the circle's order from `point` on; not empty. Walk on with Next.
  Arcs::const_iterator From(uint64_t point) const { return Wrap(arcs_.lower_bound(point)); }
  Arcs::const_iterator Next(Arcs::const_iterator at) const { return Wrap(++at); }
  size_t arcs() const { return arcs_.size(); }

 private:
  Arcs::const_iterator Wrap(Arcs::const_iterator at) const {
    return at == arcs_.end() ? arcs_.begin() : at;
  }

  Arcs arcs_;
};

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_RING_H_
