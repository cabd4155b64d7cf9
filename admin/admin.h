// What a program shows to operators and probes, put together: the HTTP server of --admin_listen and
// the health service of --probe_listen, each only when its flag is set.
//
//   /         the status page       /metrics   for Prometheus
//   /healthz  200 while live        /readyz    200 while ready; otherwise 503 and why not
#ifndef BATON_ADMIN_ADMIN_H_
#define BATON_ADMIN_ADMIN_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "admin/health.h"
#include "admin/http_server.h"
#include "admin/options.h"
#include "admin/probe_server.h"

namespace baton::admin {

// All are called from several threads at once.
struct AdminSources {
  HealthSource health;
  // In Prometheus' text format.
  std::function<std::string()> metrics;
  // The whole page. Null: the health in plain text.
  HttpHandler page;
};

// Starts the log in the form that is asked for. To be called after InitLog.
void StartLog(const AdminOptions& options, absl::string_view program);

class Admin {
 public:
  // Serves when it returns, and has written the port files. CONFIG names the flag.
  static absl::StatusOr<std::unique_ptr<Admin>> Start(const AdminOptions& options,
                                                      AdminSources sources);

  // The health has changed: probes hear of it at once.
  void Refresh();
  // host:port; empty when off.
  std::string http_address() const { return http_ == nullptr ? "" : http_->address(); }
  std::string probe_address() const { return probe_ == nullptr ? "" : probe_->address(); }

 private:
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<ProbeServer> probe_;
};

}  // namespace baton::admin

#endif  // BATON_ADMIN_ADMIN_H_
