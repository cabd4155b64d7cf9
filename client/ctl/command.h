// One verb of batonctl. Each has a file of its own; commands.h lists them.
#ifndef BATON_CLIENT_CTL_COMMAND_H_
#define BATON_CLIENT_CTL_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/ctl/exit_code.h"
#include "client/ctl/options.h"
#include "client/ctl/printer.h"
#include "client/ctl/services.h"
#include "common/config/config.h"

namespace baton::ctl {

struct Invocation {
  const Options& options;
  const std::vector<std::string>& arguments;
  Services* services;
  Printer* printer;
  // What the program ends with when the verb itself went well: kExitError for a bad finding.
  ExitCode* verdict;
};

// What stands in the place of an argument, for shells that complete it.
enum class ArgumentKind { kNone, kServer, kFile, kAddress, kShell };

struct Command {
  absl::string_view words;      // "server list"
  absl::string_view arguments;  // "NAME", "[NAME...]"
  absl::string_view summary;    // one line
  absl::string_view help;       // what it tells, with an example
  size_t arguments_min;
  size_t arguments_max;
  // Flags of its own, beside those that all verbs have; may be null.
  void (*add_rows)(Options* options, ConfigTable* table);
  absl::Status (*run)(const Invocation& call);
  ArgumentKind kind = ArgumentKind::kNone;
  // Its own flags are read from the environment too: they are the agent's. Those of other verbs
  // are not, since a pod's BATON_MODEL says what runs there, not what an operator looks for.
  bool environment = false;
  // Its calls take no longer, whatever --timeout_ms says; 0: they take what that says.
  uint32_t timeout_ms_max = 0;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_COMMAND_H_
