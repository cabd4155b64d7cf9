// The life of a lease: the right of one rank to be listed.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_LEASE_STATES_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_LEASE_STATES_H_

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::registry {

enum class LeasePhase : uint8_t { kHeld, kExpired, kReleased, kRevoked };

enum class LeaseEvent : uint8_t {
  kRenew,
  kExpire,   // not renewed in time
  kRelease,  // given back by its holder
  kRevoke,   // its slot or its server was taken over
};

inline absl::string_view Name(LeasePhase phase) {
  constexpr absl::string_view kNames[] = {"held", "expired", "released", "revoked"};
  return kNames[static_cast<int>(phase)];
}

inline absl::string_view Name(LeaseEvent event) {
  constexpr absl::string_view kNames[] = {"renew", "expire", "release", "revoke"};
  return kNames[static_cast<int>(event)];
}

using LeaseRow = Transition<LeasePhase, LeaseEvent>;
inline constexpr LeaseRow kLeaseRows[] = {
    {LeasePhase::kHeld, LeaseEvent::kRenew, LeasePhase::kHeld},
    {LeasePhase::kHeld, LeaseEvent::kExpire, LeasePhase::kExpired},
    {LeasePhase::kHeld, LeaseEvent::kRelease, LeasePhase::kReleased},
    {LeasePhase::kHeld, LeaseEvent::kRevoke, LeasePhase::kRevoked},
};

using LeaseMachine = StateMachine<LeasePhase, LeaseEvent>;
inline LeaseMachine NewLeaseMachine() { return {"lease", kLeaseRows, LeasePhase::kHeld}; }

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_LEASE_STATES_H_
