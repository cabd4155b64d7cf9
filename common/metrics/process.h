// What the kernel says of this process.
#ifndef BATON_COMMON_METRICS_PROCESS_H_
#define BATON_COMMON_METRICS_PROCESS_H_

#include <cstdint>

namespace baton::metrics {

// Zero where /proc does not say.
struct ProcessValues {
  double cpu_seconds = 0;
  uint64_t resident_bytes = 0;
  uint64_t open_fds = 0;
  uint64_t max_fds = 0;
  double start_seconds = 0;  // Unix time
};

ProcessValues ReadProcess();

}  // namespace baton::metrics

#endif  // BATON_COMMON_METRICS_PROCESS_H_
