// Keeps a flood out of a log. Of information a statement has kLogLinesPerSecond lines in a second;
// of warnings and errors the whole program has kTroubleLinesPerSecond, what says how much was kept
// back included. Some of those are for news: what has not been said lately, numbers in it aside, so
// that the one other cause in a thousand failures is read. How many lines were kept back, and the
// last of them, is for the caller to say when their second is over. Time is an argument.
// Thread-compatible.
#ifndef BATON_COMMON_FLOOD_GATE_H_
#define BATON_COMMON_FLOOD_GATE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

inline constexpr uint32_t kLogLinesPerSecond = 100;
inline constexpr uint32_t kTroubleLinesPerSecond = 10;

class FloodGate {
 public:
  // Where a line comes from. `file` is a constant of the program: its address tells it apart.
  struct Statement {
    const char* file;
    int line;
    bool operator<(const Statement& o) const {
      return std::pair(file, line) < std::pair(o.file, o.line);
    }
  };
  struct Held {
    Statement statement;
    int severity = 0;  // as the last line's
    uint64_t lines = 0;
    std::string last;
    uint32_t statements = 1;  // whose lines these are; the last of them is named
  };

  // Whether the line may be printed; otherwise it is kept. `second` counts from any beginning.
  bool Admit(const Statement& statement, int severity, absl::string_view text, int64_t second);
  // What was kept back in all seconds but `second` (a clock may be set back); each is returned
  // once, a few statements by themselves and the others together. To be called before the lines of
  // a new second, of whose lines it takes some.
  std::vector<Held> TakeHeld(int64_t second);

 private:
  struct Site {
    int64_t second = -1;
    uint32_t lines = 0;  // in that second
    uint64_t held = 0;   // of them
    int severity = 0;
    std::string last;
  };

  bool AdmitTrouble(absl::string_view text, int64_t second);
  // Not said for a while.
  bool IsNews(absl::string_view text, int64_t second);
  void Begin(int64_t second);

  // As many as there are statements that log.
  std::map<Statement, Site> sites_;
  std::set<Statement> holding_;
  int64_t second_ = -1;
  uint32_t trouble_ = 0;  // lines of warnings and errors in it
  std::map<uint64_t, int64_t> said_;
};

}  // namespace baton

#endif  // BATON_COMMON_FLOOD_GATE_H_
