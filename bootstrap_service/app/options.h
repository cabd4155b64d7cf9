// The settings of baton-bootstrap.
#ifndef BATON_BOOTSTRAP_SERVICE_APP_OPTIONS_H_
#define BATON_BOOTSTRAP_SERVICE_APP_OPTIONS_H_

#include <cstdint>
#include <string>

#include "admin/options.h"
#include "bootstrap_service/registry/limits.h"
#include "common/config/config.h"

namespace baton::registry {

struct BootstrapOptions {
  std::string listen = "0.0.0.0:7411";
  std::string port_file;
  uint32_t lease_ms = 3000;
  std::string settle = "lease";
  uint32_t drain_ms = 1000;
  uint32_t max_servers = 4096;
  uint32_t max_ranks = 262144;
  uint64_t max_spec_bytes = 32 << 20;
  uint32_t max_bindings = 262144;
  uint32_t max_waiting_lookups = 65536;
  uint32_t max_watchers = 4096;
  uint32_t max_message_bytes = 1 << 20;
  uint64_t max_watch_queue_bytes = 8 << 20;
  uint32_t changes_kept = 65536;
  admin::AdminOptions admin;
};

// One row a setting. `options` outlives the table.
void AddRows(BootstrapOptions* options, ConfigTable* table);
Limits LimitsOf(const BootstrapOptions& options);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_APP_OPTIONS_H_
