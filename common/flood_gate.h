// Keeps a flood out of a log: a statement that has more than kLogLinesPerSecond lines in a second
// is kept back for the rest of it. How many were, and the last of them, is for the caller to say
// when that second is over. Time is an argument. Thread-compatible.
#ifndef BATON_COMMON_FLOOD_GATE_H_
#define BATON_COMMON_FLOOD_GATE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton {

inline constexpr uint32_t kLogLinesPerSecond = 100;

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
    uint32_t lines = 0;
    std::string last;
  };

  // Whether the line may be printed; otherwise it is kept. `second` counts from any beginning.
  bool Admit(const Statement& statement, int severity, absl::string_view text, int64_t second);
  // What was kept back in all seconds but `second` (a clock may be set back); each is returned
  // once.
  std::vector<Held> TakeHeld(int64_t second);

 private:
  struct Site {
    int64_t second = -1;
    uint32_t lines = 0;  // in that second
    int severity = 0;
    std::string last;
  };

  // As many as there are statements that log.
  std::map<Statement, Site> sites_;
  std::set<Statement> holding_;
};

}  // namespace baton

#endif  // BATON_COMMON_FLOOD_GATE_H_
