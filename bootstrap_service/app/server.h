// A running bootstrap service: store, hub, skin and gRPC server, put together and taken apart in
// the right order. Used by the program and, with port 0, by tests.
#ifndef BATON_BOOTSTRAP_SERVICE_APP_SERVER_H_
#define BATON_BOOTSTRAP_SERVICE_APP_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "admin/health.h"
#include "bootstrap_service/app/options.h"

namespace baton::registry {

class BootstrapServer {
 public:
  // Serves when it returns. CONFIG names --listen when the address cannot be had.
  static absl::StatusOr<std::unique_ptr<BootstrapServer>> Start(const BootstrapOptions& options);
  virtual ~BootstrapServer() = default;

  // host:port with the port that is served; the host as in --listen.
  virtual std::string address() const = 0;
  // Ready while it serves. What it lists does not matter: agents come through the same door.
  virtual admin::Health Health() const = 0;
  // The status page; `only`: of one server.
  virtual std::string Page(const std::string& only) = 0;
  // For /metrics.
  virtual std::string Metrics() = 0;
  // From now on it is not ready; nothing else changes.
  virtual void BeginDrain() = 0;
  // Ends streams with a reason and calls within --drain_ms. Idempotent; the destructor does it too.
  virtual void Stop() = 0;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_APP_SERVER_H_
