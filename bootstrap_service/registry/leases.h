// The leases that are held now. Thread-compatible.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_LEASES_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_LEASES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bootstrap_service/registry/expiry.h"
#include "bootstrap_service/registry/lease_states.h"
#include "common/clock.h"
#include "common/ids.h"

namespace baton::registry {

struct Lease {
  LeaseId id;
  std::shared_ptr<const std::string> server;  // shared with the server: one string for all ranks
  uint32_t slot = 0;
  Epoch epoch;
  TimePoint ends;
  LeaseMachine phase = NewLeaseMachine();
};

class LeaseTable {
 public:
  // Ids of different store epochs differ with high probability, and are only good together with
  // the agent's epoch.
  LeaseTable(Duration lease, uint64_t store_epoch);

  LeaseId Grant(std::shared_ptr<const std::string> server, uint32_t slot, Epoch epoch,
                TimePoint now);
  // Null when the lease is not held, or not by an agent of this epoch.
  const Lease* Renew(LeaseId id, Epoch epoch, TimePoint now);
  // Ends a lease that is held. Nothing when it is not.
  std::optional<Lease> End(LeaseId id, LeaseEvent how);
  // Ends what was not renewed in time. None before `not_before`.
  std::vector<Lease> Expire(TimePoint now, TimePoint not_before);

  size_t size() const { return held_.size(); }

 private:
  Duration lease_;
  uint64_t next_id_;
  absl::flat_hash_map<LeaseId, Lease> held_;
  Expiry<LeaseId> expiry_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_LEASES_H_
