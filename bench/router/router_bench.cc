// What a pick costs a router: both legs out of a thousand servers of four layouts, under the lock
// that the client has around it; and the look-up of a server by name. Targets: 1 us, 200 ns.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/router/table.h"
#include "client/router/testing.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace baton::router {
namespace {

constexpr int kServers = 500;  // of each role
constexpr int kRounds = 9;
constexpr int kCalls = 200000;
const char* const kDtypes[] = {"bf16", "fp16", "fp8_e4m3", "fp8_e5m2"};

// Nanoseconds a call: the median of the rounds.
template <typename Call>
double Measure(Call call) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const TimePoint start = Monotonic::now();
    for (int i = 0; i < kCalls; ++i) call(i);
    const std::chrono::duration<double, std::nano> took = Monotonic::now() - start;
    rounds.push_back(took.count() / kCalls);
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[kRounds / 2];
}

void Fill(Table* table) {
  for (int i = 0; i < kServers; ++i) {
    for (v1::Role role : {v1::ROLE_PREFILL, v1::ROLE_DECODE}) {
      router_testing::ServerShape shape;
      shape.name = absl::StrCat(role == v1::ROLE_PREFILL ? "prefill" : "decode", "-server-", i);
      shape.role = role;
      shape.shape = {kDtypes[i % 4], 2, 4};
      shape.rooms = static_cast<uint32_t>(i * 7919 % 100);
      shape.labels = {{"zone", absl::StrCat("z", i % 3)},
                      {"rack", absl::StrCat("r", i % 50)},
                      {"host", absl::StrCat("h", i)}};
      table->Update(router_testing::Share(shape));
    }
  }
}

void Print(const char* what, double measured, double target) {
  std::printf("%-44s %7.0f ns (target: below %.0f)%s\n", what, measured, target,
              measured < target ? "" : "  MISSED");
}

int Main() {
#ifndef NDEBUG
  std::fprintf(stderr, "router_bench: not an optimised build: build with -c opt\n");
  return 2;
#endif
  TableOptions options;
  options.seed = 1;
  options.here = {{"zone", "z1"}};
  Table table(options);
  const TimePoint start = Monotonic::now();
  Fill(&table);
  const std::chrono::duration<double, std::milli> filled = Monotonic::now() - start;
  std::printf("a snapshot of %zu servers into the table: %.1f ms\n", table.size(), filled.count());

  Mutex mu;
  std::vector<std::string> names;
  for (int i = 0; i < 1024; ++i) names.push_back(absl::StrCat("decode-server-", i * 31 % kServers));
  size_t found = 0;
  Print("look-up of a server by name", Measure([&](int i) {
          MutexLock lock(&mu);
          found += table.Find(names[i % 1024]) != nullptr ? 1 : 0;
        }),
        200);

  struct {
    const char* name;
    Policy policy;
  } const policies[] = {{"round robin", Policy::kRoundRobin},
                        {"power of two choices", Policy::kPowerOfTwo},
                        {"least loaded", Policy::kLeastLoaded},
                        {"consistent hash", Policy::kConsistentHash},
                        {"locality", Policy::kLocality}};
  for (const auto& each : policies) {
    PickRequest request;
    request.model = "m";
    request.policy = each.policy;
    const double took = Measure([&](int i) {
      request.prefix_key = names[i % 1024];
      MutexLock lock(&mu);
      found += table.Pick(request).ok() ? 1 : 0;
      if (i % 1000 == 0) table.Age();
    });
    Print(absl::StrCat("pick of both legs, ", each.name).c_str(), took, 1000);
  }
  const size_t expected = size_t{6} * kRounds * kCalls;
  if (found != expected) std::printf("only %zu of %zu calls found something\n", found, expected);
  return found == expected ? 0 : 1;
}

}  // namespace
}  // namespace baton::router

int main() { return baton::router::Main(); }
