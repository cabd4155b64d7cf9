// Looks at the processes of a soak every few seconds.
#ifndef BATON_TESTS_SOAK_SAMPLER_H_
#define BATON_TESTS_SOAK_SAMPLER_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "tests/soak/series.h"

namespace baton::soak {

struct Watched {
  std::string name;
  std::function<pid_t()> pid;  // 0: not now
  std::string admin;           // host:port of its metrics; empty: it has none
  std::vector<std::string> sizes;
};

// Thread-compatible.
class Sampler {
 public:
  explicit Sampler(TimePoint start) : start_(start) {}

  void Add(Watched process) { processes_.emplace_back().watched = std::move(process); }
  // `keep`: for the series, not only to see what is held now.
  void Take(TimePoint now, bool keep);
  // What the last Take saw.
  const std::map<SeriesKey, double>& last() const { return last_; }
  const Series& series() const { return series_; }
  // Of all processes and their lives, as far as was seen.
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  struct Process {
    Watched watched;
    pid_t pid = 0;
    uint32_t life = 0;
    TimePoint born;
    double cpu_seconds = 0;
  };

  void TakeOf(Process* process, TimePoint now, bool keep);
  void Record(const Process& process, const std::string& what, double value, TimePoint now,
              bool keep);

  const TimePoint start_;
  std::vector<Process> processes_;
  Series series_;
  std::map<SeriesKey, double> last_;
  double cpu_seconds_ = 0;
};

// The names of what comes from the kernel.
inline constexpr char kMemory[] = "anonymous memory, KiB";
inline constexpr char kShared[] = "shared memory, KiB";
inline constexpr char kFiles[] = "descriptors";
inline constexpr char kThreads[] = "threads";

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_SAMPLER_H_
