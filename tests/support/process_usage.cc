#include "tests/support/process_usage.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

uint64_t OpenFiles(const std::string& folder) {
  DIR* files = opendir((folder + "/fd").c_str());
  if (files == nullptr) return 0;
  uint64_t count = 0;
  while (const dirent* entry = readdir(files)) count += entry->d_name[0] != '.';
  closedir(files);
  return count;
}

double CpuSeconds(const std::string& folder) {
  std::string line;
  std::getline(std::ifstream(folder + "/stat"), line);
  // Its name, in brackets, may hold anything; utime and stime are the 12th and 13th word after it.
  std::istringstream words(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string word;
  uint64_t ticks = 0;
  for (int i = 1; i <= 13 && (words >> word); ++i) {
    if (i >= 12) ticks += std::stoull(word);
  }
  return static_cast<double>(ticks) / sysconf(_SC_CLK_TCK);
}

}  // namespace

ProcessUsage UsageOf(pid_t pid) {
  const std::string folder = absl::StrCat("/proc/", pid);
  ProcessUsage usage;
  std::ifstream status(folder + "/status");
  std::string word;
  while (status >> word) {
    if (word == "RssAnon:") {
      status >> usage.anonymous_bytes;
      usage.anonymous_bytes <<= 10;
    } else if (word == "RssShmem:") {
      status >> usage.shared_bytes;
      usage.shared_bytes <<= 10;
    } else if (word == "Threads:") {
      status >> usage.threads;
    }
  }
  usage.files = OpenFiles(folder);
  usage.cpu_seconds = CpuSeconds(folder);
  return usage;
}

}  // namespace baton
