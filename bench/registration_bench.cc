// What the registration of one more pool costs against how many there are: one must not be slower
// for those that came before it. On a fake device, which looks through its keys for a free one:
// that is in the figures.
//
//   bazel run -c opt //bench:registration_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "transfer_agent/transport/conformance/test_pool.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::bench {
namespace {

using transport::ExportedMemory;
using transport::TestPool;
using transport::verbs::FakeNet;
using transport::verbs::VerbsOptions;
using transport::verbs::VerbsTransport;

constexpr size_t kPools = 1024;
constexpr size_t kEach = 128;  // medians of so many neighbours
constexpr double kRatioMax = 1.5;
constexpr transport::PoolShape kShape{
    .layers = 1, .page_tokens = 1, .token_bytes = 64, .pages = 1, .regions = 1};

double MedianMicros(const std::vector<Duration>& times, size_t first) {
  std::vector<Duration> some(times.begin() + first, times.begin() + first + kEach);
  std::nth_element(some.begin(), some.begin() + kEach / 2, some.end());
  return std::chrono::duration<double, std::micro>(some[kEach / 2]).count();
}

int Run() {
  FakeNet net;
  net.AddDevice({.name = "fake0", .port = {}});
  auto verbs = VerbsTransport::Create(net.NewProvider(), VerbsOptions()).value();
  TestPool pool(kShape);
  const std::vector<transport::LocalRegion> regions = pool.regions();
  std::vector<Duration> registered;
  std::vector<ExportedMemory> all;
  for (size_t i = 0; i < kPools; ++i) {
    const TimePoint begin = Monotonic::now();
    auto memory = verbs->ExportMemory(regions);
    registered.push_back(Monotonic::now() - begin);
    CHECK(memory.ok()) << memory.status();
    all.push_back(*std::move(memory));
  }
  for (size_t at = kEach; at <= kPools; at *= 2) {
    std::printf("pools %5zu to %5zu: %6.2f us each\n", at - kEach + 1, at,
                MedianMicros(registered, at - kEach));
  }
  const double ratio = MedianMicros(registered, kPools - kEach) / MedianMicros(registered, 0);
  std::printf("the last of %zu against the first: %.2f (at most %.1f): %s\n", kPools, ratio,
              kRatioMax, ratio <= kRatioMax ? "met" : "MISSED");
  for (const ExportedMemory& memory : all) verbs->ForgetMemory(memory.id);
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int, char** argv) {
  baton::InitLog(argv[0]);
  FLAGS_minloglevel = 1;
  return baton::bench::Run();
}
