#include "common/metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

#include "common/clock.h"

namespace baton::metrics {
namespace {

double Seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

uint64_t ResidentBytes() {
  uint64_t pages = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

uint64_t OpenFds() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  uint64_t entries = 0;
  while (readdir(folder) != nullptr) ++entries;
  closedir(folder);
  return entries > 3 ? entries - 3 : 0;  // ".", "..", and the folder itself
}

// The kernel counts from its own start, in ticks.
double StartSeconds() {
  std::ifstream stat("/proc/self/stat");
  std::string word;
  // The second field, the program's name, is in parentheses and has no space in our programs.
  for (int field = 1; field <= 22 && (stat >> word); ++field) {
    if (field != 22) continue;
    timespec up = {};
    clock_gettime(CLOCK_BOOTTIME, &up);
    const double uptime = static_cast<double>(up.tv_sec) + static_cast<double>(up.tv_nsec) * 1e-9;
    const double started = static_cast<double>(strtoull(word.c_str(), nullptr, 10)) /
                           static_cast<double>(sysconf(_SC_CLK_TCK));
    return static_cast<double>(UnixMillis()) * 1e-3 - uptime + started;
  }
  return 0;
}

}  // namespace

ProcessValues ReadProcess() {
  ProcessValues values;
  rusage usage = {};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    values.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  }
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) values.max_fds = files.rlim_cur;
  values.resident_bytes = ResidentBytes();
  values.open_fds = OpenFds();
  static const double start = StartSeconds();
  values.start_seconds = start;
  return values;
}

}  // namespace baton::metrics
