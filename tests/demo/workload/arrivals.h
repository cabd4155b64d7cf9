// Turns a trace into the rooms of a run: lengths scaled, time compressed, and the prefix that the
// decode server already has, as a prefix cache over the trace's blocks would. Starts over at the
// end of the trace, with an empty cache.
#ifndef BATON_TESTS_DEMO_WORKLOAD_ARRIVALS_H_
#define BATON_TESTS_DEMO_WORKLOAD_ARRIVALS_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "tests/demo/workload/trace.h"

namespace baton::demo {

struct ArrivalOptions {
  // Tokens of a room for each token of the trace.
  double scale = 1;
  // Seconds of the trace in one second of the run; 0: no waiting at all.
  double speed = 0;
  // Longer requests are cut.
  uint64_t tokens_max = 4096;
};

struct Arrival {
  std::chrono::nanoseconds at{0};  // from the start of the run
  uint64_t total_tokens = 0;
  uint64_t prefix_tokens = 0;
};

class Arrivals {
 public:
  // `requests` is not empty.
  Arrivals(std::vector<Request> requests, const ArrivalOptions& options);

  Arrival Next();

 private:
  uint64_t Scaled(uint64_t tokens) const;
  // Leading tokens of the request whose blocks came before; its blocks are known from now on.
  uint64_t KnownTokens(const Request& request);

  std::vector<Request> requests_;
  ArrivalOptions options_;
  size_t next_ = 0;
  // Where the current pass over the trace began.
  uint64_t pass_start_ms_ = 0;
  absl::flat_hash_set<uint64_t> known_blocks_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_WORKLOAD_ARRIVALS_H_
