// The life of one rank's registration as its agent sees it.
#ifndef BATON_CLIENT_BOOTSTRAP_REGISTRATION_STATES_H_
#define BATON_CLIENT_BOOTSTRAP_REGISTRATION_STATES_H_

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton {

enum class RegistrationPhase : uint8_t { kWaiting, kAsking, kRegistered, kRefused };

enum class RegistrationEvent : uint8_t {
  kAsk,
  kGrant,
  kFail,    // tried again
  kRefuse,  // for good
  kForget,  // the service knows the lease no more
};

inline absl::string_view Name(RegistrationPhase phase) {
  constexpr absl::string_view kNames[] = {"waiting", "asking", "registered", "refused"};
  return kNames[static_cast<int>(phase)];
}

inline absl::string_view Name(RegistrationEvent event) {
  constexpr absl::string_view kNames[] = {"ask", "grant", "fail", "refuse", "forget"};
  return kNames[static_cast<int>(event)];
}

using RegistrationRow = Transition<RegistrationPhase, RegistrationEvent>;
inline constexpr RegistrationRow kRegistrationRows[] = {
    {RegistrationPhase::kWaiting, RegistrationEvent::kAsk, RegistrationPhase::kAsking},
    {RegistrationPhase::kWaiting, RegistrationEvent::kRefuse, RegistrationPhase::kRefused},
    {RegistrationPhase::kAsking, RegistrationEvent::kGrant, RegistrationPhase::kRegistered},
    {RegistrationPhase::kAsking, RegistrationEvent::kFail, RegistrationPhase::kWaiting},
    {RegistrationPhase::kAsking, RegistrationEvent::kRefuse, RegistrationPhase::kRefused},
    {RegistrationPhase::kRegistered, RegistrationEvent::kForget, RegistrationPhase::kWaiting},
};

using RegistrationMachine = StateMachine<RegistrationPhase, RegistrationEvent>;
inline RegistrationMachine NewRegistrationMachine() {
  return {"registration", kRegistrationRows, RegistrationPhase::kWaiting};
}

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_REGISTRATION_STATES_H_
