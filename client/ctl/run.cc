#include "client/ctl/run.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/ctl/command_line.h"
#include "client/ctl/commands.h"
#include "client/ctl/help.h"
#include "common/utf8.h"

namespace baton::ctl {
namespace {

using Words = std::vector<std::string>;

bool Asks(const Words& args, absl::string_view flag) {
  return std::find(args.begin(), args.end(), flag) != args.end();
}

ExitCode Complain(const absl::Status& status, std::ostream& err) {
  const Reason reason = ReasonOf(status);
  err << "batonctl: " << CleanUtf8(status.message()) << "\n";
  // A usage error names its flag and says what it wants.
  if (reason != Reason::kConfig && reason != Reason::kUnknown) {
    err << "  " << ReasonName(reason) << ": " << ReasonHelp(reason) << "\n";
  }
  return ExitCodeOf(status);
}

// The environment as a verb sees it.
ConfigTable::Environment Visible(const Command& command, const ConfigTable::Environment& getenv) {
  if (command.environment) return getenv;
  return [getenv](const char* name) -> const char* {
    Options options;
    ConfigTable common("", "");
    AddCommonRows(&options, &common);
    for (const ConfigTable::RowInfo& row : common.Rows()) {
      if (name == absl::StrCat("BATON_", absl::AsciiStrToUpper(row.name))) return getenv(name);
    }
    return nullptr;
  };
}

absl::StatusOr<Words> ParseFlags(const Command& command, const Words& args,
                                 const ConfigTable::Environment& getenv, Options* options) {
  ConfigTable table(absl::StrCat("batonctl ", command.words), command.summary);
  AddCommonRows(options, &table);
  if (command.add_rows != nullptr) command.add_rows(options, &table);
  Words spelled = {"batonctl"};
  for (const std::string& arg : args) {
    const bool output = arg == "-o" || absl::StartsWith(arg, "-o=");
    spelled.push_back(output ? absl::StrCat("--output", arg.substr(2)) : arg);
  }
  std::vector<const char*> argv;
  for (const std::string& arg : spelled) argv.push_back(arg.c_str());
  auto parsed = table.Parse(static_cast<int>(argv.size()), argv.data(), Visible(command, getenv));
  if (!parsed.ok()) return parsed.status();
  const size_t verb_words = absl::c_count(command.words, ' ') + 1;
  Words arguments(parsed->positional.begin() + verb_words, parsed->positional.end());
  if (arguments.size() < command.arguments_min || arguments.size() > command.arguments_max) {
    return Error(
        Reason::kConfig,
        absl::StrCat(command.words, " takes ",
                     command.arguments.empty() ? "no argument" : command.arguments, ", not '",
                     absl::StrJoin(arguments, " "), "'; see batonctl help ", command.words));
  }
  return arguments;
}

ExitCode Help(const Words& words, std::ostream& out, std::ostream& err) {
  if (words.empty()) {
    out << GeneralHelp();
    return kExitOk;
  }
  if (const Command* command = FindCommand(words)) {
    out << CommandHelp(*command);
    return kExitOk;
  }
  err << "batonctl: " << UsageError(words);
  return kExitUsage;
}

}  // namespace

ExitCode Run(const Words& args, const ConfigTable::Environment& getenv,
             const ServicesMaker& make_services, std::ostream& out, std::ostream& err,
             bool terminal) {
  Words words = PlainWords(args);
  // What the completion scripts ask: the words up to the cursor, the last one unfinished.
  if (!args.empty() && args[0] == kCompleteWord) {
    out << CompleteLines({args.begin() + 1, args.end()}, getenv, make_services);
    return kExitOk;
  }
  const bool help = !words.empty() && words[0] == "help";
  if (help) words.erase(words.begin());
  if (help || Asks(args, "--help") || Asks(args, "-h")) return Help(words, out, err);
  const Command* command = FindCommand(words);
  if (command == nullptr) {
    err << "batonctl: " << UsageError(words);
    return kExitUsage;
  }
  Options options;
  auto arguments = ParseFlags(*command, args, getenv, &options);
  if (!arguments.ok()) return Complain(arguments.status(), err);
  if (command->timeout_ms_max > 0) {
    options.timeout_ms = std::min(options.timeout_ms, command->timeout_ms_max);
  }
  Printer printer(options.output, &out, terminal);
  auto services = make_services(options);
  ExitCode verdict = kExitOk;
  absl::Status status = command->run({options, *arguments, services.get(), &printer, &verdict});
  return status.ok() ? verdict : Complain(status, err);
}

}  // namespace baton::ctl
