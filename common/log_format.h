// How the log looks, and what keeps a flood out of it.
//
// text: glog's own line. json: one object a line, {"time", "severity", "program", "source",
// "message"}, for what collects logs. A flood is kept back as flood_gate.h says; how much was kept
// back is said when its second is over, by the next line of any kind or by TickLog, whichever comes
// first. All lines are counted, printed or not. Nobody who logs waits for whoever reads the log.
#ifndef BATON_COMMON_LOG_FORMAT_H_
#define BATON_COMMON_LOG_FORMAT_H_

#include <time.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace baton {

enum class LogFormat : uint8_t { kText, kJson };

// After InitLog, once. From now on lines go to `fd` (standard error, unless a test says otherwise).
void StartLogFormat(LogFormat format, absl::string_view program, int fd = 2);
// Says what was kept back until the second `now` (since 1970) began. Programs call it at
// least once a second, so that a flood's end is told also when nothing else is logged.
void TickLog(int64_t now = time(nullptr));
// Says all that is kept back, and waits half a second at most for whoever reads it: before the
// program ends.
void FlushLog();

// Lines since StartLogFormat. Thread-safe.
struct LogCounts {
  uint64_t info = 0;
  uint64_t warning = 0;
  uint64_t error = 0;      // fatal ones too
  uint64_t lost = 0;       // of all these: nobody read fast enough
  uint64_t kept_back = 0;  // by the flood gate, and summed up
};
LogCounts ReadLogCounts();

// `text` between quotes, as JSON has it. Bytes that are no UTF-8, and
// control characters without a short form, become a question mark.
std::string JsonQuoted(absl::string_view text);

}  // namespace baton

#endif  // BATON_COMMON_LOG_FORMAT_H_
