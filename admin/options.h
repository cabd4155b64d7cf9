// The settings that both programs share: what operators reach them by, and their log.
#ifndef BATON_ADMIN_OPTIONS_H_
#define BATON_ADMIN_OPTIONS_H_

#include <string>

#include "common/config/config.h"

namespace baton::admin {

struct AdminOptions {
  std::string admin_listen;
  std::string admin_port_file;
  std::string probe_listen;
  std::string probe_port_file;
  std::string log_format = "text";
};

// One row a setting. `options` outlives the table.
void AddRows(AdminOptions* options, ConfigTable* table);

}  // namespace baton::admin

#endif  // BATON_ADMIN_OPTIONS_H_
