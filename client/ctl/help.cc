#include "client/ctl/help.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/ctl/commands.h"

namespace baton::ctl {
namespace {

std::string Usage(const Command& command) {
  return absl::StrCat("batonctl ", command.words, command.arguments.empty() ? "" : " ",
                      command.arguments, " [flags]");
}

// Where flags can be set besides the command line.
std::string Elsewhere(const Command& command) {
  if (command.environment) {
    return "Each flag is also an environment variable of the agent (--bootstrap is "
           "BATON_BOOTSTRAP) and a\nline of --flagfile.\n";
  }
  Options options;
  ConfigTable common("", "");
  AddCommonRows(&options, &common);
  const std::string names =
      absl::StrJoin(common.Rows(), ", ", [](std::string* out, const ConfigTable::RowInfo& row) {
        absl::StrAppend(out, "--", row.name);
      });
  return absl::StrCat("Environment variables too (--bootstrap is BATON_BOOTSTRAP): ", names,
                      ".\nEvery flag can be a line of --flagfile.\n");
}

}  // namespace

std::string GeneralHelp() {
  std::string out = "batonctl: looks into a running Baton, and corrects it.\n\n";
  for (const Command* command : AllCommands()) {
    absl::StrAppendFormat(&out, "  %-16s %s\n", command->words, command->summary);
  }
  absl::StrAppend(&out, R"(
Server, rank and route verbs ask the bootstrap service (--bootstrap, BATON_BOOTSTRAP). Agent and
room verbs ask the agent of the pod they run in (--service_socket, BATON_SERVICE_SOCKET), or look at
another (--agent). Every verb takes -o table, wide or json.

Why does a request hang? Begin at the top and follow what is not as it should be:

  batonctl server list              is each server ready?
  batonctl server describe NAME     which ranks are missing?
  batonctl agent status             in that rank's pod: why is it not registered?
  batonctl room list --failed       what failed, and which rank is to blame?
  batonctl room trace ROOM          where was its time spent, on every rank that had it?
  batonctl doctor                   in a pod: is anything wrong with its devices and limits?

  batonctl help VERB                what a verb tells, its flags, an example
  source <(batonctl completion bash)

Exit status: 0 done, 1 failed or not well, 2 wrong usage, 3 no such thing, 4 not reachable or too
slow.
)");
  return out;
}

std::string CommandHelp(const Command& command) {
  std::string out =
      absl::StrCat(Usage(command), "\n\n", command.summary, "\n\n", command.help, "\n");
  out += "\nflags:\n";
  Options options;
  ConfigTable table(absl::StrCat("batonctl ", command.words), "");
  AddCommonRows(&options, &table);
  if (command.add_rows != nullptr) command.add_rows(&options, &table);
  const std::string rows = table.Help();
  // The table's own title says what stands above already; its last words hold for programs.
  const size_t begin = rows.find("\n\n") + 2;
  const size_t end = rows.rfind("\n\n") + 2;
  return absl::StrCat(out, rows.substr(begin, end - begin), Elsewhere(command));
}

std::string UsageError(const std::vector<std::string>& words) {
  const std::string said = absl::StrJoin(words, " ");
  std::vector<std::string> near;
  for (const Command* command : AllCommands()) {
    const bool begins = !words.empty() && absl::StartsWith(command->words, words[0]);
    if (begins) near.push_back(Usage(*command));
  }
  if (near.empty()) {
    for (const Command* command : AllCommands()) near.push_back(Usage(*command));
  }
  return absl::StrCat(said.empty() ? "a verb is missing" : absl::StrCat("no verb '", said, "'"),
                      "; there are\n  ", absl::StrJoin(near, "\n  "),
                      "\nbatonctl help VERB says more\n");
}

}  // namespace baton::ctl
