// The life of one slot: a place (dp, pp, cp, tp) of a server's start that a rank can fill.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_SLOT_STATES_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_SLOT_STATES_H_

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::registry {

enum class SlotPhase : uint8_t { kEmpty, kLive, kLapsed };

enum class SlotEvent : uint8_t {
  kRegister,    // a rank took the slot
  kReplace,     // an agent of a newer epoch took it from its holder
  kExpire,      // its lease ended
  kDeregister,  // its lease was given back
};

inline absl::string_view Name(SlotPhase phase) {
  constexpr absl::string_view kNames[] = {"empty", "live", "lapsed"};
  return kNames[static_cast<int>(phase)];
}

inline absl::string_view Name(SlotEvent event) {
  constexpr absl::string_view kNames[] = {"register", "replace", "expire", "deregister"};
  return kNames[static_cast<int>(event)];
}

using SlotRow = Transition<SlotPhase, SlotEvent>;
inline constexpr SlotRow kSlotRows[] = {
    {SlotPhase::kEmpty, SlotEvent::kRegister, SlotPhase::kLive},
    {SlotPhase::kLive, SlotEvent::kReplace, SlotPhase::kLive},
    {SlotPhase::kLive, SlotEvent::kExpire, SlotPhase::kLapsed},
    {SlotPhase::kLive, SlotEvent::kDeregister, SlotPhase::kEmpty},
    {SlotPhase::kLapsed, SlotEvent::kRegister, SlotPhase::kLive},
};

using SlotMachine = StateMachine<SlotPhase, SlotEvent>;
inline SlotMachine NewSlotMachine() { return {"slot", kSlotRows, SlotPhase::kEmpty}; }

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_SLOT_STATES_H_
