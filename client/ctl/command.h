// One verb of batonctl. Each has a file of its own; commands.h lists them.
#ifndef BATON_CLIENT_CTL_COMMAND_H_
#define BATON_CLIENT_CTL_COMMAND_H_

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
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
};

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
  // In place of add_rows and run: takes all words after the verb, flags too.
  absl::Status (*run_words)(const std::vector<std::string>& words, std::ostream& out) = nullptr;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_COMMAND_H_
