// Measures a transport between two ends: in one process, or in two that talk over a socket.
#ifndef BATON_CLIENT_CTL_BENCH_BENCH_H_
#define BATON_CLIENT_CTL_BENCH_BENCH_H_

#include <chrono>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/report.pb.h"
#include "client/ctl/bench/bench_end.h"

namespace baton::ctl {

struct BenchPlan {
  BenchShape shape;
  transport::verbs::Wishes wishes;
  std::chrono::milliseconds time{2000};
  // One page at a time, each waited for; otherwise all pages, four rooms under way.
  bool latency = false;
};

// The source: drives and measures. From the first byte handed to the transport to the target's word
// that the last is in its memory; a latency is that of one page.
absl::StatusOr<v1::BenchReport> RunBench(const BenchPlan& plan, UniqueFd socket);

// The target: does as it is asked until the source has gone, which is OK.
absl::Status ServeBench(UniqueFd socket, const transport::verbs::Wishes& wishes);

// Both in this process, the target on a thread of its own.
absl::StatusOr<v1::BenchReport> RunBenchHere(const BenchPlan& plan);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_BENCH_BENCH_H_
