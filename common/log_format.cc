#include "common/log_format.h"

#include <glog/logging.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/flood_gate.h"
#include "common/log_writer.h"
#include "common/mutex.h"
#include "common/utf8.h"

namespace baton {
namespace {

constexpr absl::string_view kSeverities[] = {"info", "warning", "error", "fatal"};
constexpr size_t kMessageBytesMax = 16384;
// For the last words; nobody waits longer for whoever reads them.
constexpr auto kDrain = std::chrono::milliseconds(500);

std::string UtcOf(const google::LogMessageTime& time) {
  tm utc = {};
  const time_t seconds = time.timestamp();
  gmtime_r(&seconds, &utc);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, time.usec());
}

const char* Base(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

std::string OneLine(absl::string_view text) {
  return CleanUtf8(absl::StrReplaceAll(text, {{"\n", "\\n"}, {"\r", "\\r"}, {"\t", " "}}));
}

// glog holds a lock of its own around send: nothing in here may log.
class Sink final : public google::LogSink {
 public:
  Sink(LogFormat format, absl::string_view program, int fd)
      : format_(format), program_(program), writer_(fd) {}

  void send(google::LogSeverity severity, const char* full, const char* base, int line,
            const google::LogMessageTime& time, const char* message, size_t bytes) override {
    counts_[severity].fetch_add(1, std::memory_order_relaxed);
    const absl::string_view text(message, std::min(bytes, kMessageBytesMax));
    MutexLock lock(&mu_);
    SayHeld(time, time.timestamp());
    // What ends the program is always said.
    if (gate_.Admit({full, line}, severity, text, time.timestamp()) ||
        severity == google::GLOG_FATAL) {
      Write(severity, base, line, time, text);
    } else {
      kept_back_.fetch_add(1, std::memory_order_relaxed);
    }
    if (severity == google::GLOG_FATAL) Drain();
  }

  void Drain() { writer_.Drain(kDrain); }

  void SayHeldBut(int64_t second) {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    const google::LogMessageTime time(now.tv_sec, static_cast<double>(now.tv_sec));
    MutexLock lock(&mu_);
    SayHeld(time, second);
  }

  LogCounts counts() const {
    auto count = [&](int severity) { return counts_[severity].load(std::memory_order_relaxed); };
    return {count(0), count(1), count(2) + count(3), writer_.lost(),
            kept_back_.load(std::memory_order_relaxed)};
  }

 private:
  void SayHeld(const google::LogMessageTime& time, int64_t second)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (const uint64_t lost = writer_.TakeLost(); lost > 0) {
      Write(google::GLOG_WARNING, Base(__FILE__), __LINE__, time,
            absl::StrCat(lost, " lines were lost: nobody read the log fast enough"));
    }
    for (const FloodGate::Held& held : gate_.TakeHeld(second)) {
      const std::string places =
          held.statements == 1 ? "" : absl::StrCat(" of ", held.statements, " kinds");
      Write(held.severity, Base(held.statement.file), held.statement.line, time,
            absl::StrCat(held.lines, held.lines == 1 ? " more line" : " more lines", places,
                         held.lines == 1 ? " was" : " were",
                         " kept back, the last of them: ", held.last));
    }
  }

  void Write(google::LogSeverity severity, const char* base, int line,
             const google::LogMessageTime& time, absl::string_view text) {
    if (format_ == LogFormat::kText) {
      // What others say stands in it, and is no line of its own.
      const std::string clean = OneLine(text);
      writer_.Write(
          absl::StrCat(ToString(severity, base, line, time, clean.data(), clean.size()), "\n"));
      return;
    }
    writer_.Write(absl::StrCat("{\"time\": \"", UtcOf(time), "\", \"severity\": \"",
                               kSeverities[severity], "\", \"program\": ", JsonQuoted(program_),
                               ", \"source\": ", JsonQuoted(absl::StrCat(base, ":", line)),
                               ", \"message\": ", JsonQuoted(text), "}\n"));
  }

  const LogFormat format_;
  const std::string program_;
  LogWriter writer_;
  std::array<std::atomic<uint64_t>, 4> counts_ = {};
  std::atomic<uint64_t> kept_back_{0};
  Mutex mu_;
  FloodGate gate_ ABSL_GUARDED_BY(mu_);
};

// Lives as long as the process: threads may log until its very end.
std::atomic<Sink*> g_sink{nullptr};

}  // namespace

void StartLogFormat(LogFormat format, absl::string_view program, int fd) {
  auto* sink = new Sink(format, program, fd);
  Sink* before = g_sink.exchange(sink);
  if (before != nullptr) google::RemoveLogSink(before);
  google::AddLogSink(sink);
  delete before;
  // glog itself writes nothing any more, to no file and not to standard error.
  for (int severity = 0; severity < google::NUM_SEVERITIES; ++severity) {
    google::SetLogDestination(severity, "");
  }
  FLAGS_stderrthreshold = google::NUM_SEVERITIES;
  FLAGS_logtostderr = false;
}

void TickLog(int64_t now) {
  if (Sink* sink = g_sink.load()) sink->SayHeldBut(now);
}

void FlushLog() {
  TickLog(-1);
  if (Sink* sink = g_sink.load()) sink->Drain();
}

LogCounts ReadLogCounts() {
  const Sink* sink = g_sink.load();
  return sink == nullptr ? LogCounts() : sink->counts();
}

std::string JsonQuoted(absl::string_view text) {
  std::string out = "\"";
  for (absl::string_view rest = text; !rest.empty();) {
    // Control characters that have a short form keep it; whatever else is unfit becomes '?'.
    const size_t plain = std::min(rest.find_first_of("\n\t\r"), rest.size());
    for (char c : CleanUtf8(rest.substr(0, plain))) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    absl::StrAppend(&out, rest[0] == '\n' ? "\\n" : rest[0] == '\t' ? "\\t" : "\\r");
    rest.remove_prefix(1);
  }
  out.push_back('"');
  return out;
}

}  // namespace baton
