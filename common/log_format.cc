#include "common/log_format.h"

#include <glog/logging.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/mutex.h"
#include "common/utf8.h"

namespace baton {
namespace {

constexpr absl::string_view kSeverities[] = {"info", "warning", "error", "fatal"};
constexpr size_t kMessageBytesMax = 16384;

std::string UtcOf(const google::LogMessageTime& time) {
  tm utc = {};
  const time_t seconds = time.timestamp();
  gmtime_r(&seconds, &utc);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, time.usec());
}

void WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    // A log that nobody can take is no reason to stop.
    if (written <= 0) return;
    text.remove_prefix(written);
  }
}

// glog holds a lock of its own around send: nothing in here may log.
class Sink final : public google::LogSink {
 public:
  Sink(LogFormat format, absl::string_view program, int fd)
      : format_(format), program_(program), fd_(fd) {}

  void send(google::LogSeverity severity, const char* full, const char* base, int line,
            const google::LogMessageTime& time, const char* message, size_t bytes) override {
    counts_[severity].fetch_add(1, std::memory_order_relaxed);
    const absl::string_view text(message, std::min(bytes, kMessageBytesMax));
    MutexLock lock(&mu_);
    SayHeld(time, time.timestamp());
    const SiteKey key{full, line};
    Site& site = sites_[key];
    if (site.second != time.timestamp()) {
      site.second = time.timestamp();
      site.lines = 0;
    }
    // What ends the program is always said.
    if (++site.lines <= kLogLinesPerSecond || severity == google::GLOG_FATAL) {
      return Write(severity, base, line, time, text);
    }
    site.severity = severity;
    site.base = base;
    site.last = std::string(text);
    holding_.insert(key);
  }

  void Flush() {
    timespec now = {};
    clock_gettime(CLOCK_REALTIME, &now);
    const google::LogMessageTime time(now.tv_sec, static_cast<double>(now.tv_sec));
    MutexLock lock(&mu_);
    SayHeld(time, -1);
  }

  LogCounts counts() const {
    auto count = [&](int severity) { return counts_[severity].load(std::memory_order_relaxed); };
    return {count(0), count(1), count(2) + count(3)};
  }

 private:
  using SiteKey = std::pair<const char*, int>;
  // A statement that logs.
  struct Site {
    time_t second = -1;
    uint32_t lines = 0;  // in that second
    // Of the last line that was kept back.
    google::LogSeverity severity = 0;
    const char* base = "";
    std::string last;
  };

  // Of every second but `still`.
  void SayHeld(const google::LogMessageTime& time, time_t still)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (auto it = holding_.begin(); it != holding_.end();) {
      Site& site = sites_[*it];
      if (site.second == still) {
        ++it;
        continue;
      }
      Write(site.severity, site.base, it->second, time,
            absl::StrCat(site.lines - kLogLinesPerSecond,
                         " more lines were kept back, the last of them: ", site.last));
      site.second = -1;
      it = holding_.erase(it);
    }
  }

  void Write(google::LogSeverity severity, const char* base, int line,
             const google::LogMessageTime& time, absl::string_view text) const {
    if (format_ == LogFormat::kText) {
      return WriteAll(
          fd_, absl::StrCat(ToString(severity, base, line, time, text.data(), text.size()), "\n"));
    }
    WriteAll(fd_, absl::StrCat("{\"time\": \"", UtcOf(time), "\", \"severity\": \"",
                               kSeverities[severity], "\", \"program\": ", JsonQuoted(program_),
                               ", \"source\": ", JsonQuoted(absl::StrCat(base, ":", line)),
                               ", \"message\": ", JsonQuoted(text), "}\n"));
  }

  const LogFormat format_;
  const std::string program_;
  const int fd_;
  std::array<std::atomic<uint64_t>, 4> counts_ = {};
  Mutex mu_;
  // As many as there are statements that log.
  std::map<SiteKey, Site> sites_ ABSL_GUARDED_BY(mu_);
  std::set<SiteKey> holding_ ABSL_GUARDED_BY(mu_);
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

void FlushLog() {
  if (Sink* sink = g_sink.load()) sink->Flush();
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
