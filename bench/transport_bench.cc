// Baton's embedded transports against what they cannot beat, both sides in one run: a raw blocking
// socket copy and a plain memcpy over the same two pools, receiver included. Rounds are
// interleaved, each figure is the median, and the ratio is of the medians.
//
//   bazel run //bench:transport_bench -- [--rounds=7] [--mib=512] [--only=tcp]
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bench/transport_runs.h"

namespace baton::bench {
namespace {

struct Flags {
  uint32_t rounds = 7;
  uint64_t mib = 512;
  std::string only;
};

struct Case {
  std::string name;
  std::function<double()> run;  // bytes a second
  std::string baseline;         // empty: it is one
  double target = 0;            // of the baseline
  std::vector<double> rates = {};

  double median() {
    std::sort(rates.begin(), rates.end());
    return rates[rates.size() / 2];
  }
};

Flags ParseFlags(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    absl::string_view arg = argv[i];
    bool ok = false;
    if (absl::ConsumePrefix(&arg, "--rounds=")) {
      ok = absl::SimpleAtoi(arg, &flags.rounds) && flags.rounds >= 5;
    } else if (absl::ConsumePrefix(&arg, "--mib=")) {
      ok = absl::SimpleAtoi(arg, &flags.mib) && flags.mib >= 64;
    } else if (absl::ConsumePrefix(&arg, "--only=")) {
      flags.only = std::string(arg);
      ok = true;
    }
    if (!ok) {
      fprintf(stderr, "transport_bench: bad argument %s (--rounds=5.. --mib=64.. --only=NAME)\n",
              argv[i]);
      exit(2);
    }
  }
  return flags;
}

std::vector<Case> Cases(uint64_t bytes) {
  constexpr uint32_t k4 = 4 << 10, k64 = 64 << 10, k1024 = 1 << 20;
  const auto socket = [bytes](uint32_t size) {
    return [bytes, size] { return RawSocketRate(size, bytes); };
  };
  const auto copy = [bytes](uint32_t size, Order order) {
    return [=] { return MemcpyRate(size, order, bytes); };
  };
  const auto baton = [bytes](Kind kind, uint32_t page, Order order) {
    return [=] { return TransportRate(kind, page, order, bytes); };
  };
  const auto beside = [bytes](Kind kind) {
    return [=] { return TransportRate(kind, k64, Order::kScattered, bytes, true); };
  };
  return {
      {"raw socket, 64 KiB", socket(k64), "", 0},
      {"raw socket, 1 MiB", socket(k1024), "", 0},
      {"tcp, 64 KiB pages in order", baton(Kind::kTcp, k64, Order::kAscending),
       "raw socket, 64 KiB", 0.9},
      {"tcp, 64 KiB pages scattered", baton(Kind::kTcp, k64, Order::kScattered),
       "raw socket, 64 KiB", 0.9},
      {"tcp, 1 MiB pages in order", baton(Kind::kTcp, k1024, Order::kAscending),
       "raw socket, 1 MiB", 0.9},
      {"tcp, 1 MiB pages scattered", baton(Kind::kTcp, k1024, Order::kScattered),
       "raw socket, 1 MiB", 0.9},
      {"tcp, 4 KiB pages scattered", baton(Kind::kTcp, k4, Order::kScattered), "raw socket, 64 KiB",
       0.5},
      {"tcp with CRC32C, 64 KiB pages", baton(Kind::kTcpChecked, k64, Order::kScattered),
       "raw socket, 64 KiB", 0},
      {"memcpy, 64 KiB in order", copy(k64, Order::kAscending), "", 0},
      {"memcpy, 64 KiB scattered", copy(k64, Order::kScattered), "", 0},
      {"memcpy, 4 KiB scattered", copy(k4, Order::kScattered), "", 0},
      {"shm, 64 KiB pages in order", baton(Kind::kShm, k64, Order::kAscending),
       "memcpy, 64 KiB in order", 0.85},
      {"shm, 64 KiB pages scattered", baton(Kind::kShm, k64, Order::kScattered),
       "memcpy, 64 KiB scattered", 0.85},
      {"shm, 4 KiB pages scattered", baton(Kind::kShm, k4, Order::kScattered),
       "memcpy, 4 KiB scattered", 0},
      {"tcp 64 KiB beside a stopped target", beside(Kind::kTcp), "tcp, 64 KiB pages scattered",
       0.9},
      {"shm 64 KiB beside a stopped target", beside(Kind::kShm), "shm, 64 KiB pages scattered",
       0.9},
  };
}

// Cases whose name contains `only`, and their baselines.
std::vector<Case> Wanted(const std::vector<Case>& all, const std::string& only) {
  std::vector<Case> wanted;
  for (const Case& c : all) {
    const bool serves = std::any_of(all.begin(), all.end(), [&](const Case& other) {
      return absl::StrContains(other.name, only) && other.baseline == c.name;
    });
    if (serves || absl::StrContains(c.name, only)) wanted.push_back(c);
  }
  return wanted;
}

void Print(std::vector<Case>* cases) {
  printf("%-34s %8s %8s  %s\n", "case", "GB/s", "ratio", "target");
  for (Case& c : *cases) {
    printf("%-34s %8.2f", c.name.c_str(), c.median() / 1e9);
    auto base = std::find_if(cases->begin(), cases->end(),
                             [&c](const Case& other) { return other.name == c.baseline; });
    if (base != cases->end()) {
      const double ratio = c.median() / base->median();
      printf(" %8.2f", ratio);
      if (c.target > 0) printf("  >= %.2f %s", c.target, ratio >= c.target ? "ok" : "MISSED");
    }
    printf("\n");
  }
}

}  // namespace

int Main(int argc, char** argv) {
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  fprintf(stderr, "transport_bench: built without optimisation, its figures mean nothing\n");
  return 1;
#endif
  const Flags flags = ParseFlags(argc, argv);
  std::vector<Case> cases = Wanted(Cases(flags.mib << 20), flags.only);
  for (Case& c : cases) c.run();  // maps, connects and warms what a long life has warm
  for (uint32_t round = 0; round < flags.rounds; ++round) {
    for (Case& c : cases) c.rates.push_back(c.run());
  }
  printf("median of %u interleaved rounds of %lu MiB each\n", flags.rounds, flags.mib);
  Print(&cases);
  return 0;
}

}  // namespace baton::bench

int main(int argc, char** argv) { return baton::bench::Main(argc, argv); }
