// Which dp rank of a server has a room, for as long as its binding lives, and who waits to hear it.
// A pure state machine beside the registry: no threads, no clock, no gRPC. Thread-compatible.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_ROOMS_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_ROOMS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/expiry.h"
#include "bootstrap_service/registry/limits.h"
#include "common/clock.h"
#include "common/ids.h"

namespace baton::registry {

// Names a lookup that waits.
using WaiterId = StrongId<struct WaiterIdTag, uint64_t>;

// A lookup that waits no longer: with what it waited for, or with nothing.
struct Answered {
  WaiterId waiter;
  v1::LookupRoomResponse response;
};

class RoomTable {
 public:
  explicit RoomTable(const Limits& limits) : limits_(limits) {}

  // Shortens what is over; binds all rooms of the request or none, and answers the lookups that
  // waited for one of them.
  absl::StatusOr<std::vector<Answered>> Bind(const v1::BindRoomRequest& request, TimePoint now);

  struct LookupResult {
    v1::LookupRoomResponse response;
    // Set: nothing is bound yet; the answer comes from Bind or Tick.
    std::optional<WaiterId> waiter;
  };
  // Waits until `wait_ends` when none is bound; not at all when that is not after `now`.
  absl::StatusOr<LookupResult> Lookup(const v1::LookupRoomRequest& request, TimePoint now,
                                      TimePoint wait_ends);
  // Who asked has gone. Nothing when it was answered.
  void Cancel(WaiterId waiter);
  // Ends bindings and waits; answers the latter.
  std::vector<Answered> Tick(TimePoint now);

  // When Tick has something to do, at the earliest.
  std::optional<TimePoint> next() const { return waits_.next(); }
  size_t bindings() const { return bindings_.size(); }
  size_t waiting_rooms() const { return waiting_rooms_; }

 private:
  using Key = std::pair<std::string, RoomKey>;
  struct Binding {
    uint32_t dp = 0;
    std::multimap<TimePoint, const Key*>::iterator end;
  };
  struct Waiter {
    std::vector<Key> keys;
  };

  absl::Status CheckBindings(const v1::BindRoomRequest& request, TimePoint now) const;
  const Binding* Live(const Key& key, TimePoint now) const;
  void DropBindings(TimePoint now);
  void Shorten(const v1::BindRoomRequest& request, TimePoint now);
  Answered Answer(WaiterId waiter, TimePoint now);
  v1::LookupRoomResponse Found(const std::vector<Key>& keys, TimePoint now) const;

  const Limits limits_;
  absl::node_hash_map<Key, Binding> bindings_;
  std::multimap<TimePoint, const Key*> binding_ends_;  // one for each
  uint64_t next_waiter_ = 1;
  size_t waiting_rooms_ = 0;
  absl::flat_hash_map<WaiterId, Waiter> waiters_;
  absl::flat_hash_map<Key, std::vector<WaiterId>> waiting_;
  Expiry<WaiterId> waits_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_ROOMS_H_
