// grpc.health.v1 for whoever probes the program: Kubernetes, a service mesh, a script.
//
// Plain text, on a port of its own: a kubelet speaks no TLS, and the ports that do work will. The
// service names are "startup", "readiness" and "liveness" (admin/health.h says what each means); no
// name means readiness. Any other name is NOT_FOUND. Check and Watch are served.
#ifndef BATON_ADMIN_PROBE_SERVER_H_
#define BATON_ADMIN_PROBE_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "admin/health.h"

namespace baton::admin {

// Thread-safe.
class ProbeServer {
 public:
  // Serves when it returns. Asks `health` five times a second, and whenever it is told to. CONFIG
  // names --probe_listen when the address cannot be had.
  static absl::StatusOr<std::unique_ptr<ProbeServer>> Start(const std::string& listen,
                                                            HealthSource health);
  virtual ~ProbeServer() = default;

  // host:port with the port that is served; the host as in `listen`.
  virtual std::string address() const = 0;
  // The health has changed: what is served is current when this returns.
  virtual void Refresh() = 0;
};

}  // namespace baton::admin

#endif  // BATON_ADMIN_PROBE_SERVER_H_
