// The ready servers of one model and role that are made alike (one ServerSpec; one revision of the
// model's weights and one kind of engine, as their labels say): what fits one of them fits all.
// Knows the least loaded of them, by place as well, and who owns a key.
//
// Members are numbers of the table's entries. Pure; thread-compatible.
#ifndef BATON_CLIENT_ROUTER_POOL_H_
#define BATON_CLIENT_ROUTER_POOL_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "client/router/ring.h"
#include "client/router/tournament.h"
#include "planner/layout.h"

namespace baton::router {

// A place and all that it lies in, widest first: [everywhere, zone, rack, host], as hashes.
using Places = absl::InlinedVector<uint64_t, 4>;
inline constexpr uint64_t kEverywhere = 0;

// Where a member sits in the tournament of each of its places.
using Seats = absl::InlinedVector<uint32_t, 4>;

// What servers say of themselves beside their spec; empty where they do not: fits any.
struct Marks {
  std::string revision;
  std::string engine;

  bool operator==(const Marks&) const = default;
  bool Fit(const Marks& other) const {
    return Agree(revision, other.revision) && Agree(engine, other.engine);
  }

 private:
  static bool Agree(absl::string_view ours, absl::string_view theirs) {
    return ours.empty() || theirs.empty() || ours == theirs;
  }
};

class Pool {
 public:
  explicit Pool(planner::ServerSpec spec, Marks marks = {})
      : spec_(std::move(spec)), marks_(std::move(marks)) {}

  // `places` begins with kEverywhere.
  Seats Join(uint32_t id, absl::string_view name, const Places& places, uint64_t key);
  // Calls `moved(id, level, seat)` for a member that has another seat now.
  template <typename Moved>
  void Leave(absl::string_view name, const Places& places, const Seats& seats, Moved moved);
  void SetKey(const Places& places, const Seats& seats, uint64_t key);

  uint32_t size() const { return everywhere_.size(); }
  uint32_t id(uint32_t seat) const { return everywhere_.id(seat); }
  uint64_t key(uint32_t seat) const { return everywhere_.key(seat); }
  // Null when no member is there.
  const Tournament* At(uint64_t place) const;
  const Ring& ring() const { return ring_; }
  const planner::ServerSpec& spec() const { return spec_; }
  const Marks& marks() const { return marks_; }

  // Pools of the other role that fit, empty ones too; kept by the table, with how many of them have
  // members.
  std::vector<Pool*> partners;
  uint32_t open_partners = 0;
  // Entries of this spec, ready or not; without any the pool goes.
  uint32_t entries = 0;

 private:
  Tournament* Of(uint64_t place) {
    return place == kEverywhere ? &everywhere_ : &elsewhere_[place];
  }

  const planner::ServerSpec spec_;
  const Marks marks_;
  Tournament everywhere_;
  absl::flat_hash_map<uint64_t, Tournament> elsewhere_;
  Ring ring_;
};

template <typename Moved>
void Pool::Leave(absl::string_view name, const Places& places, const Seats& seats, Moved moved) {
  for (size_t level = 0; level < places.size(); ++level) {
    Tournament* tournament = Of(places[level]);
    const uint32_t id = tournament->Remove(seats[level]);
    if (seats[level] < tournament->size()) moved(id, places[level], seats[level]);
    if (tournament->empty() && places[level] != kEverywhere) elsewhere_.erase(places[level]);
  }
  ring_.Remove(name);
}

}  // namespace baton::router

#endif  // BATON_CLIENT_ROUTER_POOL_H_
