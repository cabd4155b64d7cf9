#include "admin/admin.h"

#include <grpc/support/log.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "admin/port_file.h"
#include "common/log.h"
#include "common/log_format.h"

namespace baton::admin {
namespace {

HttpAnswer Say(bool good, const Health& health) {
  if (good) return {200, kPlainText, "ok\n"};
  return {503, kPlainText, absl::StrCat(health.why.empty() ? "no" : health.why, "\n")};
}

void LogOfGrpc(gpr_log_func_args* said) {
  const absl::string_view file = said->file;
  const absl::string_view base = file.substr(file.rfind('/') + 1);
  if (said->severity == GPR_LOG_SEVERITY_ERROR) {
    LOG(ERROR) << "grpc: " << base << ":" << said->line << ": " << said->message;
  } else {
    LOG(INFO) << "grpc: " << base << ":" << said->line << ": " << said->message;
  }
}

HttpRoutes RoutesOf(const AdminSources& sources) {
  HttpRoutes routes;
  const HealthSource health = sources.health;
  routes["/healthz"] = [health](absl::string_view) {
    const Health now = health();
    return Say(now.live, now);
  };
  routes["/readyz"] = [health](absl::string_view) {
    const Health now = health();
    return Say(now.ready, now);
  };
  if (sources.metrics) {
    routes["/metrics"] = [metrics = sources.metrics](absl::string_view) {
      return HttpAnswer{200, kPrometheusText, metrics()};
    };
  }
  routes["/"] = sources.page ? sources.page : routes["/readyz"];
  return routes;
}

}  // namespace

void StartLog(const AdminOptions& options, absl::string_view program) {
  StartLogFormat(options.log_format == "json" ? LogFormat::kJson : LogFormat::kText, program);
  // gRPC would write to standard error itself, and wait for whoever reads it.
  gpr_set_log_function(LogOfGrpc);
}

absl::StatusOr<std::unique_ptr<Admin>> Admin::Start(const AdminOptions& options,
                                                    AdminSources sources) {
  auto admin = std::make_unique<Admin>();
  if (!options.probe_listen.empty()) {
    auto probe = ProbeServer::Start(options.probe_listen, sources.health);
    if (!probe.ok()) return probe.status();
    admin->probe_ = *std::move(probe);
    LOG(INFO) << "admin: probes are answered on " << admin->probe_address();
  }
  if (!options.admin_listen.empty()) {
    auto http = HttpServer::Start(options.admin_listen, RoutesOf(sources));
    if (!http.ok()) return http.status();
    admin->http_ = *std::move(http);
    LOG(INFO) << "admin: status and metrics are on http://" << admin->http_address() << "/";
  }
  absl::Status written =
      WritePortFile("probe_port_file", options.probe_port_file, admin->probe_address());
  written.Update(WritePortFile("admin_port_file", options.admin_port_file, admin->http_address()));
  if (!written.ok()) return written;
  return admin;
}

void Admin::Refresh() {
  if (probe_ != nullptr) probe_->Refresh();
}

}  // namespace baton::admin
