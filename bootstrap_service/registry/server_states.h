// The life of one start (incarnation) of a server.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_SERVER_STATES_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_SERVER_STATES_H_

#include "absl/strings/string_view.h"
#include "baton/v1/registry.pb.h"
#include "common/state_table.h"

namespace baton::registry {

enum class ServerPhase : uint8_t { kNew, kProvisional, kRegistering, kReady, kDraining, kGone };

enum class ServerEvent : uint8_t {
  kIssued,          // a new launch got its incarnation
  kRebuilt,         // learned from a rank that held it already, while settling
  kSettledFull,     // one lease time has passed; every slot is live
  kSettledPartial,  // one lease time has passed; some slot is not
  kFilled,          // the last missing slot became live
  kUnfilled,        // a live slot ended
  kDrain,
  kUndrainFull,
  kUndrainPartial,
  kReplaced,  // by a larger incarnation
  kLeft,      // the last live rank gave its lease back
  kForgotten  // no live rank for too long
};

inline absl::string_view Name(ServerPhase phase) {
  constexpr absl::string_view kNames[] = {"new",   "provisional", "registering",
                                          "ready", "draining",    "gone"};
  return kNames[static_cast<int>(phase)];
}

inline absl::string_view Name(ServerEvent event) {
  constexpr absl::string_view kNames[] = {
      "issued", "rebuilt",      "settled_full",    "settled_partial", "filled", "unfilled",
      "drain",  "undrain_full", "undrain_partial", "replaced",        "left",   "forgotten"};
  return kNames[static_cast<int>(event)];
}

using ServerRow = Transition<ServerPhase, ServerEvent>;
inline constexpr ServerRow kServerRows[] = {
    {ServerPhase::kNew, ServerEvent::kIssued, ServerPhase::kRegistering},
    {ServerPhase::kNew, ServerEvent::kRebuilt, ServerPhase::kProvisional},
    {ServerPhase::kProvisional, ServerEvent::kSettledFull, ServerPhase::kReady},
    {ServerPhase::kProvisional, ServerEvent::kSettledPartial, ServerPhase::kRegistering},
    {ServerPhase::kProvisional, ServerEvent::kDrain, ServerPhase::kDraining},
    {ServerPhase::kProvisional, ServerEvent::kReplaced, ServerPhase::kGone},
    {ServerPhase::kProvisional, ServerEvent::kLeft, ServerPhase::kGone},
    {ServerPhase::kRegistering, ServerEvent::kFilled, ServerPhase::kReady},
    {ServerPhase::kRegistering, ServerEvent::kDrain, ServerPhase::kDraining},
    {ServerPhase::kRegistering, ServerEvent::kReplaced, ServerPhase::kGone},
    {ServerPhase::kRegistering, ServerEvent::kLeft, ServerPhase::kGone},
    {ServerPhase::kRegistering, ServerEvent::kForgotten, ServerPhase::kGone},
    {ServerPhase::kReady, ServerEvent::kUnfilled, ServerPhase::kRegistering},
    {ServerPhase::kReady, ServerEvent::kDrain, ServerPhase::kDraining},
    {ServerPhase::kReady, ServerEvent::kReplaced, ServerPhase::kGone},
    {ServerPhase::kDraining, ServerEvent::kUndrainFull, ServerPhase::kReady},
    {ServerPhase::kDraining, ServerEvent::kUndrainPartial, ServerPhase::kRegistering},
    {ServerPhase::kDraining, ServerEvent::kReplaced, ServerPhase::kGone},
    {ServerPhase::kDraining, ServerEvent::kLeft, ServerPhase::kGone},
    {ServerPhase::kDraining, ServerEvent::kForgotten, ServerPhase::kGone},
};

using ServerMachine = StateMachine<ServerPhase, ServerEvent>;
inline ServerMachine NewServerMachine() { return {"server", kServerRows, ServerPhase::kNew}; }

inline v1::ServerState ToProto(ServerPhase phase) {
  switch (phase) {
    case ServerPhase::kNew:
    case ServerPhase::kGone:
      return v1::SERVER_STATE_UNSPECIFIED;
    case ServerPhase::kProvisional:
      return v1::SERVER_STATE_PROVISIONAL;
    case ServerPhase::kRegistering:
      return v1::SERVER_STATE_REGISTERING;
    case ServerPhase::kReady:
      return v1::SERVER_STATE_READY;
    case ServerPhase::kDraining:
      return v1::SERVER_STATE_DRAINING;
  }
  return v1::SERVER_STATE_UNSPECIFIED;
}

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_SERVER_STATES_H_
