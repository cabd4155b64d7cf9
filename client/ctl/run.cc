#include "client/ctl/run.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/ctl/commands.h"
#include "client/ctl/help.h"

namespace baton::ctl {
namespace {

using Words = std::vector<std::string>;

bool TakesNoValue(const std::string& flag) {
  constexpr absl::string_view kFlags[] = {"--help", "-h", "--failed", "--once", "--expand"};
  return std::find(std::begin(kFlags), std::end(kFlags), flag) != std::end(kFlags);
}

// What is no flag and no flag's value. Flags may stand anywhere, so the verb is known only after
// they are taken out, and which flags there are only when the verb is.
Words PlainWords(const Words& args) {
  Words words;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!absl::StartsWith(args[i], "-")) {
      words.push_back(args[i]);
    } else if (!absl::StrContains(args[i], "=") && !TakesNoValue(args[i])) {
      ++i;
    }
  }
  return words;
}

bool Asks(const Words& args, absl::string_view flag) {
  return std::find(args.begin(), args.end(), flag) != args.end();
}

// Null: no verb begins `words`.
const Command* FindCommand(const Words& words) {
  for (const Command* command : AllCommands()) {
    const Words verb = absl::StrSplit(command->words, ' ');
    if (words.size() >= verb.size() && std::equal(verb.begin(), verb.end(), words.begin())) {
      return command;
    }
  }
  return nullptr;
}

ExitCode Complain(const absl::Status& status, std::ostream& err) {
  const Reason reason = ReasonOf(status);
  err << "batonctl: " << status.message() << "\n";
  // A usage error names its flag and says what it wants.
  if (reason != Reason::kConfig && reason != Reason::kUnknown) {
    err << "  " << ReasonName(reason) << ": " << ReasonHelp(reason) << "\n";
  }
  return ExitCodeOf(status);
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
  auto parsed = table.Parse(static_cast<int>(argv.size()), argv.data(), getenv);
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

// `args` without the words of the verb, wherever flags stand between them.
Words AfterVerb(const Command& command, const Words& args) {
  const Words verb = absl::StrSplit(command.words, ' ');
  Words rest;
  size_t found = 0;
  for (const std::string& arg : args) {
    if (found < verb.size() && arg == verb[found]) {
      ++found;
    } else {
      rest.push_back(arg);
    }
  }
  return rest;
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
             const ServicesMaker& make_services, std::ostream& out, std::ostream& err) {
  Words words = PlainWords(args);
  const bool help = !words.empty() && words[0] == "help";
  if (help) words.erase(words.begin());
  if (help || Asks(args, "--help") || Asks(args, "-h")) return Help(words, out, err);
  const Command* command = FindCommand(words);
  if (command == nullptr) {
    err << "batonctl: " << UsageError(words);
    return kExitUsage;
  }
  if (command->run_words != nullptr) {
    absl::Status status = command->run_words(AfterVerb(*command, args), out);
    return status.ok() ? kExitOk : Complain(status, err);
  }
  Options options;
  auto arguments = ParseFlags(*command, args, getenv, &options);
  if (!arguments.ok()) return Complain(arguments.status(), err);
  Printer printer(options.output, &out);
  auto services = make_services(options);
  absl::Status status = command->run({options, *arguments, services.get(), &printer});
  return status.ok() ? kExitOk : Complain(status, err);
}

}  // namespace baton::ctl
