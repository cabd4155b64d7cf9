// What each engine wants to hear of a request: the two legs of it. Pure; thread-safe.
#ifndef BATON_CLIENT_ROUTER_APP_LEGS_H_
#define BATON_CLIENT_ROUTER_APP_LEGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/router/app/openai.h"
#include "client/router/route.h"

namespace baton::proxy {

struct LegBody {
  std::string server;
  std::string http;  // host:port of its API
  std::string body;
};

struct LegBodies {
  LegBody prefill;
  LegBody decode;
};

// CONFIG: a server lacks a label that its engine's adapter sets, and which.
absl::StatusOr<LegBodies> LegsOf(const Asked& asked, const Route& route);

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_LEGS_H_
