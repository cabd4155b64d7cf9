// The life of a request in the router.
#ifndef BATON_CLIENT_ROUTER_APP_REQUEST_STATES_H_
#define BATON_CLIENT_ROUTER_APP_REQUEST_STATES_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/state_table.h"

namespace baton::proxy {

enum class RequestState : uint8_t {
  kPicking,  // no pair yet; waits for one
  kLegs,     // both legs are out, the client has been told nothing
  kPassing,  // the decode server's answer goes to the client
  kOver,
};

enum class RequestEvent : uint8_t { kPick, kFail, kPass, kEnd };

inline absl::string_view Name(RequestState state) {
  constexpr absl::string_view kNames[] = {"picking", "legs", "passing", "over"};
  return kNames[static_cast<int>(state)];
}

inline absl::string_view Name(RequestEvent event) {
  constexpr absl::string_view kNames[] = {"pick", "fail", "pass", "end"};
  return kNames[static_cast<int>(event)];
}

using RequestRow = Transition<RequestState, RequestEvent>;
inline constexpr RequestRow kRequestRows[] = {
    {RequestState::kPicking, RequestEvent::kPick, RequestState::kLegs},
    {RequestState::kPicking, RequestEvent::kEnd, RequestState::kOver},
    {RequestState::kLegs, RequestEvent::kFail, RequestState::kPicking},
    {RequestState::kLegs, RequestEvent::kPass, RequestState::kPassing},
    {RequestState::kLegs, RequestEvent::kEnd, RequestState::kOver},
    {RequestState::kPassing, RequestEvent::kEnd, RequestState::kOver},
};

using RequestMachine = StateMachine<RequestState, RequestEvent>;
inline RequestMachine NewRequestMachine() {
  return {"request", kRequestRows, RequestState::kPicking};
}

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_REQUEST_STATES_H_
