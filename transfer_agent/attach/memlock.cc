#include "transfer_agent/attach/memlock.h"

#include <sys/resource.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace baton::attach {
namespace {

constexpr int kCapIpcLock = 14;

}  // namespace

bool HasIpcLock(absl::string_view proc_status) {
  for (absl::string_view line : absl::StrSplit(proc_status, '\n')) {
    if (!absl::ConsumePrefix(&line, "CapEff:")) continue;
    uint64_t capabilities = 0;
    std::string hex(absl::StripAsciiWhitespace(line));
    if (!absl::SimpleHexAtoi(hex, &capabilities)) return false;
    return (capabilities >> kCapIpcLock) & 1;
  }
  return false;
}

std::optional<uint64_t> PinnableBytes(uint64_t pinned_already) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::nullopt;
  }
  std::ifstream file("/proc/self/status");
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (HasIpcLock(text)) return std::nullopt;
  return limit.rlim_cur > pinned_already ? limit.rlim_cur - pinned_already : 0;
}

}  // namespace baton::attach
