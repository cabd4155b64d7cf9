#include "admin/docs/configuration.h"

#include "absl/strings/str_cat.h"
#include "bootstrap_service/app/options.h"
#include "client/router/app/options.h"
#include "common/config/config.h"
#include "transfer_agent/app/options.h"

namespace baton::admin {

std::string ConfigurationMarkdown() {
  agent::Options agent;
  ConfigTable agent_table("baton-agent", "");
  agent::AddRows(&agent, &agent_table);
  registry::BootstrapOptions bootstrap;
  ConfigTable bootstrap_table("baton-bootstrap", "");
  registry::AddRows(&bootstrap, &bootstrap_table);
  proxy::RouterProgramOptions router;
  ConfigTable router_table("baton-router", "");
  proxy::AddRows(&router, &router_table);
  return absl::StrCat(
      "# Configuration\n\n"
      "Every setting of the programs, from the tables in their code; `make docs` writes this "
      "page anew.\n\n"
      "A setting is a flag (`--lease_ms=5000` or `--lease_ms 5000`; dashes do as underscores), an "
      "environment\nvariable, and a line of the flag file that `--flagfile` or "
      "`BATON_FLAGFILE` names (`lease_ms=5000`; `#` starts\na comment). The command line beats "
      "the environment, which beats the flag file. A bad value, an unknown flag\nand an unknown "
      "line of the flag file keep the program from starting, with one line that names them. "
      "Of a `BATON_*`\nvariable that no program of a pod reads it warns, with the nearest name.\n",
      "\n## baton-agent\n\n", agent_table.Markdown(), "\n## baton-bootstrap\n\n",
      bootstrap_table.Markdown(), "\n## baton-router\n\n", router_table.Markdown());
}

}  // namespace baton::admin
