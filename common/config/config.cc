#include "common/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton {
namespace {

constexpr char kCommandLine[] = "command line";

std::string VariableOf(absl::string_view flag) {
  return absl::StrCat("BATON_", absl::AsciiStrToUpper(flag));
}

std::string Underscored(absl::string_view flag) { return absl::StrReplaceAll(flag, {{"-", "_"}}); }

}  // namespace

ConfigTable::ConfigTable(absl::string_view program, absl::string_view about)
    : program_(program), about_(about) {
  Text("flagfile", &flagfile_, "path", "File with one flag a line; # starts a comment.");
}

ConfigTable::Row* ConfigTable::Find(absl::string_view name) {
  for (Row& row : rows_) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

absl::Status ConfigTable::Unknown(absl::string_view name, absl::string_view where) const {
  std::string near;
  for (const Row& row : rows_) {
    bool alike = absl::StrContains(row.name, name) || absl::StrContains(name, row.name);
    if (alike && !name.empty()) absl::StrAppend(&near, near.empty() ? "" : ", ", "--", row.name);
  }
  return Error(
      Reason::kConfig,
      absl::StrCat("unknown flag --", name, " (", where, ")",
                   near.empty() ? "" : absl::StrCat("; did you mean ", near), "; see --help"));
}

absl::StatusOr<std::vector<ConfigTable::Given>> ConfigTable::FromCommandLine(
    int argc, const char* const* argv, ConfigArgs* args) {
  std::vector<Given> given;
  bool flags_end = false;
  for (int i = 1; i < argc; ++i) {
    absl::string_view word = argv[i];
    if (flags_end || !absl::StartsWith(word, "-") || word == "-") {
      args->positional.emplace_back(word);
      continue;
    }
    flags_end = word == "--";
    if (flags_end) continue;
    if (word == "--help" || word == "-h") args->help = true;
    if (args->help) break;
    absl::ConsumePrefix(&word, "-");
    absl::ConsumePrefix(&word, "-");
    std::pair<std::string, std::string> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
    std::string name = Underscored(parts.first);
    Row* row = Find(name);
    if (row == nullptr) return Unknown(name, kCommandLine);
    if (!absl::StrContains(word, "=")) {
      if (row->type == "bool") {
        parts.second = "true";
      } else if (++i < argc) {
        parts.second = argv[i];
      } else {
        return Error(Reason::kConfig, absl::StrCat("--", name, " needs a value"));
      }
    }
    given.push_back({name, parts.second, kCommandLine});
  }
  return given;
}

absl::StatusOr<std::vector<ConfigTable::Given>> ConfigTable::FromFile(const std::string& path) {
  std::vector<Given> given;
  if (path.empty()) return given;
  FILE* file = fopen(path.c_str(), "re");
  if (file == nullptr) {
    return Error(Reason::kConfig, absl::StrCat("--flagfile=", path, " cannot be read"));
  }
  char buffer[4096];
  for (int number = 1; fgets(buffer, sizeof(buffer), file) != nullptr; ++number) {
    absl::string_view line = absl::StripAsciiWhitespace(buffer);
    if (line.empty() || line[0] == '#') continue;
    absl::ConsumePrefix(&line, "--");
    std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits('=', 1));
    std::string name = Underscored(absl::StripAsciiWhitespace(parts.first));
    std::string where = absl::StrCat(path, ":", number);
    Row* row = Find(name);
    if (row == nullptr || name == "flagfile") {
      fclose(file);
      return Unknown(name, where);
    }
    bool bare = row->type == "bool" && !absl::StrContains(line, "=");
    given.push_back(
        {name, bare ? "true" : std::string(absl::StripAsciiWhitespace(parts.second)), where});
  }
  fclose(file);
  return given;
}

std::vector<ConfigTable::Given> ConfigTable::FromEnvironment(const Environment& getenv) {
  std::vector<Given> given;
  for (const Row& row : rows_) {
    std::string variable = VariableOf(row.name);
    const char* value = getenv(variable.c_str());
    if (value == nullptr) continue;
    if (row.type != "list") {
      given.push_back({row.name, value, variable});
      continue;
    }
    for (absl::string_view part : absl::StrSplit(value, ',', absl::SkipEmpty())) {
      given.push_back({row.name, std::string(part), variable});
    }
  }
  return given;
}

absl::Status ConfigTable::Apply(const std::vector<Given>& given) {
  std::vector<Row*> cleared;
  for (const Given& g : given) {
    Row* row = Find(g.name);
    if (row->clear && std::find(cleared.begin(), cleared.end(), row) == cleared.end()) {
      row->clear();
      cleared.push_back(row);
    }
    std::string wrong = row->set(g.value);
    if (wrong.empty()) continue;
    return Error(Reason::kConfig,
                 absl::StrCat("--", g.name, "=", absl::CEscape(g.value), ": ", wrong,
                              g.where == kCommandLine ? "" : absl::StrCat(" (from ", g.where, ")"),
                              "; ", row->help));
  }
  return absl::OkStatus();
}

absl::StatusOr<ConfigArgs> ConfigTable::Parse(int argc, const char* const* argv) {
  return Parse(argc, argv, [](const char* name) -> const char* { return ::getenv(name); });
}

absl::StatusOr<ConfigArgs> ConfigTable::Parse(int argc, const char* const* argv,
                                              const Environment& getenv) {
  ConfigArgs args;
  auto flags = FromCommandLine(argc, argv, &args);
  if (!flags.ok()) return flags.status();
  if (args.help) return args;
  std::vector<Given> variables = FromEnvironment(getenv);
  for (const std::vector<Given>* place : {&variables, &*flags}) {
    for (const Given& g : *place) {
      if (g.name == "flagfile") flagfile_ = g.value;
    }
  }
  auto lines = FromFile(flagfile_);
  if (!lines.ok()) return lines.status();
  for (const std::vector<Given>* place : {&*lines, &variables, &*flags}) {
    if (absl::Status status = Apply(*place); !status.ok()) return status;
  }
  return args;
}

ConfigArgs ConfigTable::ParseOrExit(int argc, const char* const* argv) {
  absl::StatusOr<ConfigArgs> args = Parse(argc, argv);
  if (!args.ok()) {
    fprintf(stderr, "%s: %s\n", program_.c_str(), std::string(args.status().message()).c_str());
    exit(2);
  }
  for (const std::string& warning : UnknownVariables(environ)) {
    fprintf(stderr, "%s: warning: %s\n", program_.c_str(), warning.c_str());
  }
  if (args->help) {
    fputs(Help().c_str(), stdout);
    exit(0);
  }
  return *std::move(args);
}

std::string ConfigTable::Help() const {
  std::string out = absl::StrCat(program_, ": ", about_, "\n\n");
  for (const Row& row : rows_) {
    std::string value = row.type == "bool" ? "" : absl::StrCat("=", row.unit);
    absl::StrAppend(&out, "  --", row.name, value, "\n      ", row.help);
    if (!row.domain.empty()) absl::StrAppend(&out, " ", row.domain, ".");
    absl::StrAppend(&out, " Default: ", row.fallback.empty() ? "none" : row.fallback, ".\n");
  }
  absl::StrAppend(&out, "\nEach flag is also an environment variable (--listen is ",
                  "BATON_LISTEN) and a line of --flagfile.\n");
  return out;
}

std::string ConfigTable::Markdown() const {
  std::string out =
      "| flag | variable | type | unit | range | default | meaning |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const Row& row : rows_) {
    std::string domain = absl::StrReplaceAll(row.domain, {{"|", ", "}});
    absl::StrAppend(&out, "| `--", row.name, "` | `", VariableOf(row.name), "` | ", row.type, " | ",
                    row.unit, " | ", domain, " | ",
                    row.fallback.empty() ? "" : absl::StrCat("`", row.fallback, "`"), " | ",
                    row.help, " |\n");
  }
  return out;
}

std::vector<ConfigTable::RowInfo> ConfigTable::Rows() const {
  std::vector<RowInfo> rows;
  for (const Row& row : rows_) rows.push_back({row.name, row.type, row.domain, row.unit});
  return rows;
}

std::string ConfigTable::Describe() const {
  return absl::StrJoin(rows_, " ", [](std::string* out, const Row& row) {
    absl::StrAppend(out, row.name, "=", row.get());
  });
}

}  // namespace baton
