// What a router embeds: one watch of the bootstrap service for the whole process, and a table in
// its own memory from which both legs of a request are picked in less than a microsecond.
//
//   auto client = MakeRouterClient({"bootstrap:7077"});
//   PickRequest request;
//   request.model = "llama-3-8b";
//   auto route = client->PickWithin(request, std::chrono::seconds(1));
//   // Send both legs: route->room, route->prefill.server->labels(), route->prefill.dp ...
//   client->Abort(*route, "the user has gone");
//
// Only pairs that work are offered: both servers ready, of one model, and with layouts that the
// planner can join. While the bootstrap service is away the last known state stays; the watch comes
// back by itself. Thread-safe; a callback comes from the client's own thread and must not block.
#ifndef BATON_CLIENT_ROUTER_ROUTER_CLIENT_H_
#define BATON_CLIENT_ROUTER_ROUTER_CLIENT_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/router/explain.h"
#include "client/router/route.h"

namespace baton {

struct RouterOptions {
  std::string bootstrap_address;
  // Labels that say where a server is, widest first.
  std::vector<std::string> place_labels = {"zone", "rack", "host"};
  // Where this router is, by the same labels, for Policy::kLocality.
  std::map<std::string, std::string> here = {};
  // An abort is tried again until it is this old.
  std::chrono::milliseconds abort_deadline{5000};
};

class RouterClient {
 public:
  virtual ~RouterClient() = default;

  // At once. NOT_READY or INCOMPATIBLE when no pair can be offered now, and why.
  virtual absl::StatusOr<Route> Pick(const PickRequest& request) = 0;
  // Waits for a pair up to `wait`; blocks the caller.
  virtual absl::StatusOr<Route> PickWithin(const PickRequest& request,
                                           std::chrono::milliseconds wait) = 0;

  // Tells the agents of both legs that nobody wants the room any more: its transfers end, and both
  // engines learn it as ABORTED. Safe to repeat; a leg that is opened later is not affected, so
  // tell the engines as well. `done`, if any, is called once.
  using AbortDone = std::function<void(const absl::Status&)>;
  virtual void Abort(const Route& route, const std::string& why, AbortDone done) = 0;

  // Why the two are not offered as a pair; empty when they are. UNKNOWN_SERVER.
  virtual absl::StatusOr<std::vector<Obstacle>> Explain(const std::string& prefill,
                                                        const std::string& decode) const = 0;
  // Null when unknown.
  virtual std::shared_ptr<const v1::ServerRecord> Find(absl::string_view name) const = 0;
  // Sorted by name.
  virtual std::vector<std::shared_ptr<const v1::ServerRecord>> Servers() const = 0;
  // False until the first snapshot is complete: until then a pick may miss servers.
  virtual bool synced() const = 0;

  // Ends the watch; waiting picks and open aborts fail. Idempotent; the destructor does it too.
  virtual void Stop() = 0;
};

std::unique_ptr<RouterClient> MakeRouterClient(RouterOptions options);

}  // namespace baton

#endif  // BATON_CLIENT_ROUTER_ROUTER_CLIENT_H_
