// OpenAI's API for clients, over HTTP by civetweb: a request has a thread from its first byte to
// the last one of its answer, and a connection carries one request.
//
//   POST /v1/completions, /v1/chat/completions    GET /v1/models, /health
#ifndef BATON_CLIENT_ROUTER_APP_FRONT_H_
#define BATON_CLIENT_ROUTER_APP_FRONT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/router/app/options.h"
#include "client/router/app/stats.h"
#include "client/router/router_client.h"

namespace baton::proxy {

// Thread-safe.
class Front {
 public:
  // Serves when it returns; what it is given outlives it. CONFIG names --listen when the address
  // cannot be had.
  static absl::StatusOr<std::unique_ptr<Front>> Start(const RouterProgramOptions& options,
                                                      RouterClient* router, Stats* stats);
  virtual ~Front() = default;

  // host:port with the port that is served; the host as in `listen`.
  virtual std::string address() const = 0;
  // New requests are refused from now on.
  virtual void BeginDrain() = 0;
  virtual bool draining() const = 0;
  // Gives those that run --drain_ms to end, then ends them.
  virtual void Stop() = 0;
};

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_FRONT_H_
