// What the kernel says that a process holds.
#ifndef BATON_TESTS_SUPPORT_PROCESS_USAGE_H_
#define BATON_TESTS_SUPPORT_PROCESS_USAGE_H_

#include <sys/types.h>

#include <cstdint>

namespace baton {

// All 0 when it has ended.
struct ProcessUsage {
  uint64_t anonymous_bytes = 0;
  // Pools and rings; what several processes have mapped, or one of them twice, counts so often.
  uint64_t shared_bytes = 0;
  uint64_t files = 0;
  uint64_t threads = 0;
  double cpu_seconds = 0;
};

ProcessUsage UsageOf(pid_t pid);

}  // namespace baton

#endif  // BATON_TESTS_SUPPORT_PROCESS_USAGE_H_
