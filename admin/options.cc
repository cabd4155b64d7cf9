#include "admin/options.h"

namespace baton::admin {

void AddRows(AdminOptions* o, ConfigTable* table) {
  table->Text("admin_listen", &o->admin_listen, "host:port",
              "Address for operators, over HTTP: / is a status page, then /metrics, /healthz and "
              "/readyz. Without authentication; empty: off; port 0 takes a free one.",
              CheckOptionalHostPort);
  table->Text("admin_port_file", &o->admin_port_file, "path",
              "File to write the address of --admin_listen to, once it is served; empty: none.");
  table->Text("probe_listen", &o->probe_listen, "host:port",
              "Address for probes, grpc.health.v1 in plain text: the services startup, readiness "
              "and liveness; empty: off; port 0 takes a free one.",
              CheckOptionalHostPort);
  table->Text("probe_port_file", &o->probe_port_file, "path",
              "File to write the address of --probe_listen to, once it is served; empty: none.");
  table->Choice("log_format", &o->log_format, {"text", "json"},
                "How the log on standard error looks: glog's lines, or one JSON object a line.");
}

}  // namespace baton::admin
