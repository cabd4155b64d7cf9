#include "client/ctl/command_line.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/ctl/commands.h"

namespace baton::ctl {
namespace {

using Words = std::vector<std::string>;

// A table of the verb's flags, or of all verbs' (null).
struct Flags {
  explicit Flags(const Command* command) : table("", "") {
    AddCommonRows(&options, &table);
    if (command != nullptr) {
      if (command->add_rows != nullptr) command->add_rows(&options, &table);
    }
  }
  Options options;
  ConfigTable table;
};

std::string RowName(absl::string_view flag) {
  absl::ConsumePrefix(&flag, "--");
  if (flag == "-o") return "output";
  return absl::StrReplaceAll(flag, {{"-", "_"}});
}

// Whether `flag` (without "=") stands alone: for every verb that has it, since which one it is may
// not be known yet.
bool TakesNoValue(const std::string& flag) {
  if (flag == "--help" || flag == "-h") return true;
  const std::string name = RowName(flag);
  for (const Command* command : AllCommands()) {
    const Flags flags(command);
    for (const ConfigTable::RowInfo& row : flags.table.Rows()) {
      if (row.name == name) return row.type == "bool";
    }
  }
  return false;
}

using Found = std::set<std::string>;

void AddIfBegun(const std::string& candidate, absl::string_view begun, Found* found) {
  if (absl::StartsWith(candidate, begun)) found->insert(candidate);
}

void AddFlags(const Command* command, absl::string_view begun, Found* found) {
  const Flags flags(command);
  for (const ConfigTable::RowInfo& row : flags.table.Rows()) {
    AddIfBegun(absl::StrCat("--", row.name, row.type == "bool" ? "" : "="), begun, found);
  }
  AddIfBegun("--help", begun, found);
}

// What may follow "--flag=" or "--flag ".
void AddValues(const Command* command, absl::string_view flag, absl::string_view begun,
               Found* found) {
  const Flags flags(command);
  for (const ConfigTable::RowInfo& row : flags.table.Rows()) {
    if (row.name != RowName(flag)) continue;
    if (row.type == "choice") {
      for (absl::string_view choice : absl::StrSplit(row.domain, '|')) {
        AddIfBegun(std::string(choice), begun, found);
      }
    } else if (row.unit == "path" || row.unit == "file") {
      found->insert("FILE");
    }
  }
}

// The next word of the verbs that begin as `words` do.
void AddVerbWords(const Words& words, absl::string_view begun, Found* found) {
  for (const Command* command : AllCommands()) {
    const Words verb = absl::StrSplit(command->words, ' ');
    if (verb.size() <= words.size()) continue;
    if (!std::equal(words.begin(), words.end(), verb.begin())) continue;
    AddIfBegun(verb[words.size()], begun, found);
  }
  if (words.empty()) AddIfBegun("help", begun, found);
}

void AddServers(absl::string_view begun, const ConfigTable::Environment& getenv,
                const ServicesMaker& make_services, Found* found) {
  Options options;
  if (const char* bootstrap = getenv("BATON_BOOTSTRAP"); bootstrap != nullptr) {
    if (CheckHostPort(bootstrap).empty()) options.bootstrap = bootstrap;
  }
  // Who waits for a completion does not wait long.
  options.timeout_ms = 500;
  auto servers = make_services(options)->ListServers({});
  if (!servers.ok()) return;
  for (const v1::ServerRecord& server : servers->servers()) {
    AddIfBegun(server.name(), begun, found);
  }
}

}  // namespace

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

const Command* FindCommand(const Words& words) {
  for (const Command* command : AllCommands()) {
    const Words verb = absl::StrSplit(command->words, ' ');
    if (words.size() >= verb.size() && std::equal(verb.begin(), verb.end(), words.begin())) {
      return command;
    }
  }
  return nullptr;
}

std::string CompleteLines(const Words& words, const ConfigTable::Environment& getenv,
                          const ServicesMaker& make_services) {
  Found found;
  const std::string begun = words.empty() ? "" : words.back();
  Words before(words.begin(), words.empty() ? words.end() : words.end() - 1);
  Words plain = PlainWords(before);
  const bool help = !plain.empty() && plain[0] == "help";
  if (help) plain.erase(plain.begin());
  const Command* command = FindCommand(plain);
  const std::string last = before.empty() ? "" : before.back();
  const bool wants_value =
      absl::StartsWith(last, "-") && !absl::StrContains(last, "=") && !TakesNoValue(last);
  if (wants_value) {
    AddValues(command, last, begun, &found);
  } else if (absl::StartsWith(begun, "--") && absl::StrContains(begun, "=")) {
    const std::pair<std::string, std::string> halves =
        absl::StrSplit(begun, absl::MaxSplits('=', 1));
    Found values;
    AddValues(command, halves.first, halves.second, &values);
    for (const std::string& value : values) {
      found.insert(value == "FILE" ? value : absl::StrCat(halves.first, "=", value));
    }
  } else if (absl::StartsWith(begun, "-")) {
    AddFlags(command, begun, &found);
  } else if (command == nullptr || help) {
    AddVerbWords(plain, begun, &found);
  } else if (command->kind == ArgumentKind::kServer) {
    AddServers(begun, getenv, make_services, &found);
  } else if (command->kind == ArgumentKind::kShell) {
    for (const char* shell : {"bash", "zsh"}) AddIfBegun(shell, begun, &found);
  } else if (command->kind == ArgumentKind::kFile) {
    found.insert("FILE");
  }
  std::string lines;
  for (const std::string& one : found) absl::StrAppend(&lines, one, "\n");
  return lines;
}

}  // namespace baton::ctl
