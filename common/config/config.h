// A program's settings as one table: each row is a flag, an environment variable, a line of the
// flag file, a line of --help and a row of the documentation, and is validated in one place.
//
//   struct Options { std::string listen = "127.0.0.1:0"; uint32_t lease_ms = 3000; } options;
//   ConfigTable table("baton-bootstrap", "The registry of servers and of their ranks.");
//   table.Text("listen", &options.listen, "host:port", "Address to serve on.");
//   table.Number("lease_ms", &options.lease_ms, {100, 600000}, "ms", "Life of a lease.");
//   auto args = table.Parse(argc, argv);      // or ParseOrExit(argc, argv)
//
// The default is the value that the variable holds when its row is added. Order of precedence:
// command line (--lease_ms=5000 or --lease_ms 5000, dashes do as underscores), environment
// (BATON_LEASE_MS), flag file (--flagfile=PATH or BATON_FLAGFILE: one `lease_ms=5000` a line, `#`
// starts a comment), default. Of a flag given twice the last counts. A bad value, an unknown flag
// and an unknown line of the flag file are errors that name the flag and where it stood. The
// programs of a pod share one environment: of a BATON_* variable that none of them reads a program
// only warns.
//
// Variables are borrowed and must outlive Parse. Thread-compatible.
#ifndef BATON_COMMON_CONFIG_CONFIG_H_
#define BATON_COMMON_CONFIG_CONFIG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

// Both ends belong to the range.
struct NumberRange {
  uint64_t min = 0;
  uint64_t max = UINT64_MAX;
};

struct RealRange {
  double min = 0;
  double max = 0;
};

struct ConfigArgs {
  // What is no flag, in order; everything after `--`.
  std::vector<std::string> positional;
  // --help was given: nothing else counts.
  bool help = false;
};

class ConfigTable {
 public:
  // Empty: fine. Otherwise what is wrong with the text, as "not host:port".
  using TextCheck = std::function<std::string(absl::string_view)>;
  using Environment = std::function<const char*(const char*)>;

  ConfigTable(absl::string_view program, absl::string_view about);

  void Text(absl::string_view name, std::string* value, absl::string_view unit,
            absl::string_view help, TextCheck check = nullptr);
  void Number(absl::string_view name, uint32_t* value, NumberRange range, absl::string_view unit,
              absl::string_view help);
  void Number(absl::string_view name, uint64_t* value, NumberRange range, absl::string_view unit,
              absl::string_view help);
  void Real(absl::string_view name, double* value, RealRange range, absl::string_view unit,
            absl::string_view help);
  // --name, --name=true, --name=false.
  void Bool(absl::string_view name, bool* value, absl::string_view help);
  void Choice(absl::string_view name, std::string* value, std::vector<std::string> choices,
              absl::string_view help);
  // May be given many times; each adds one. In the environment separated by commas.
  void List(absl::string_view name, std::vector<std::string>* values, absl::string_view unit,
            absl::string_view help);

  // INVALID_ARGUMENT/CONFIG. The variables are unchanged after --help.
  absl::StatusOr<ConfigArgs> Parse(int argc, const char* const* argv);
  absl::StatusOr<ConfigArgs> Parse(int argc, const char* const* argv, const Environment& getenv);
  // Ends the program after --help (status 0) and on an error (status 2, on standard error). Warns
  // there of variables that nothing reads.
  ConfigArgs ParseOrExit(int argc, const char* const* argv);

  // A line for each BATON_* variable that no program of a pod reads, with the nearest name of this
  // table. `environment`: "name=value" texts, ended by null.
  std::vector<std::string> UnknownVariables(const char* const* environment) const;

  // For --help, and as a table for the documentation.
  std::string Help() const;
  std::string Markdown() const;
  // "name=value" of every row as it is now, for the log.
  std::string Describe() const;

  // For shells that complete a command line. Views of this table.
  struct RowInfo {
    absl::string_view name;
    absl::string_view type;    // "text", "number", "real", "bool", "choice", "list"
    absl::string_view domain;  // "100 to 600000", "auto|tcp|shm"
    absl::string_view unit;
  };
  std::vector<RowInfo> Rows() const;

 private:
  struct Row {
    std::string name;
    std::string type;    // "text", "number", "real", "bool", "choice", "list"
    std::string domain;  // "100 to 600000", "auto|tcp|shm"; empty where anything goes
    std::string unit;
    std::string fallback;
    std::string help;
    // Empty, or what is wrong with the text. Does not store when it is wrong.
    std::function<std::string(absl::string_view)> set;
    std::function<std::string()> get;
    std::function<void()> clear;  // lists only: a stronger place replaces a weaker one's values
  };
  struct Given {
    std::string name;
    std::string value;
    std::string where;  // "command line", "BATON_LEASE_MS", "agent.flags:3"
  };

  void Add(Row row);
  template <typename T>
  void AddNumber(absl::string_view name, T* value, NumberRange range, absl::string_view unit,
                 absl::string_view help);
  Row* Find(absl::string_view name);
  absl::Status Unknown(absl::string_view name, absl::string_view where) const;
  absl::StatusOr<std::vector<Given>> FromCommandLine(int argc, const char* const* argv,
                                                     ConfigArgs* args);
  absl::StatusOr<std::vector<Given>> FromFile(const std::string& path);
  std::vector<Given> FromEnvironment(const Environment& getenv);
  absl::Status Apply(const std::vector<Given>& given);

  std::string program_;
  std::string about_;
  std::string flagfile_;
  std::vector<Row> rows_;
};

// Checks for Text rows.
std::string CheckHostPort(absl::string_view text);
// The same, or empty where that means "off".
std::string CheckOptionalHostPort(absl::string_view text);
std::string CheckNotEmpty(absl::string_view text);
// host:port that somebody else can dial: a name or an address, not the wildcard.
std::string CheckDialable(absl::string_view text);
// The same with a port that is known.
std::string CheckPeerAddress(absl::string_view text);

}  // namespace baton

#endif  // BATON_COMMON_CONFIG_CONFIG_H_
