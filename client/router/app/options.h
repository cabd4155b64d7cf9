// The settings of baton-router.
#ifndef BATON_CLIENT_ROUTER_APP_OPTIONS_H_
#define BATON_CLIENT_ROUTER_APP_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "admin/options.h"
#include "client/router/route.h"
#include "common/config/config.h"

namespace baton::proxy {

struct RouterProgramOptions {
  std::string bootstrap = "127.0.0.1:7411";
  std::string listen = "127.0.0.1:8000";
  std::string port_file;
  std::string policy = "power_of_two";
  std::vector<std::string> here;
  uint32_t attempts = 3;
  uint32_t wait_ms = 5000;
  uint32_t connect_ms = 2000;
  uint32_t engine_silence_s = 600;
  uint32_t client_ms = 30000;
  uint32_t drain_ms = 30000;
  uint32_t max_requests = 256;
  uint64_t max_request_bytes = 64 << 20;
  uint64_t max_answer_bytes = 64 << 20;
  admin::AdminOptions admin;
};

// One row a setting. `options` outlives the table.
void AddRows(RouterProgramOptions* options, ConfigTable* table);

Policy PolicyOf(const std::string& name);
// CONFIG: one of --here is no key=value.
absl::StatusOr<std::map<std::string, std::string>> PlaceOf(const std::vector<std::string>& here);

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_OPTIONS_H_
