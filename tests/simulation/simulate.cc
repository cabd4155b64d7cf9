// bazel run //tests/simulation -- --seed=7 --trace            one history, told
// bazel run //tests/simulation -- --seed=1 --histories=100000 many, with figures
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "common/log.h"
#include "tests/simulation/history.h"

namespace baton::sim {
namespace {

uint64_t current_seed = 0;

// A state machine without a row, a failed CHECK: the history that met it is named too.
void OnAbort(int) {
  char text[96];
  const int n = snprintf(text, sizeof(text), "seed %llu ended the program\n",
                         static_cast<unsigned long long>(current_seed));
  if (write(STDERR_FILENO, text, n) < 0) _exit(3);
  signal(SIGABRT, SIG_DFL);
}

struct Flags {
  uint64_t seed = 1;
  uint64_t histories = 1;
  bool trace = false;
};

bool ParseFlag(const char* word, const char* name, uint64_t* value) {
  const size_t length = strlen(name);
  if (strncmp(word, name, length) != 0) return false;
  *value = strtoull(word + length, nullptr, 10);
  return true;
}

struct Totals {
  uint64_t steps = 0, requests = 0, faults = 0, done = 0, failed = 0, clean = 0, agents = 0;
  uint64_t quarantined = 0, flipped = 0, moved = 0, without_rail = 0;
  std::vector<Duration> aborts;
  Figures figures;

  void Add(Outcome outcome) {
    steps += outcome.steps;
    requests += outcome.requests;
    faults += outcome.faults;
    done += outcome.rooms_done;
    failed += outcome.rooms_failed;
    clean += outcome.clean_requests;
    agents += outcome.agents;
    figures += outcome.figures;
    quarantined += outcome.quarantined;
    flipped += outcome.flipped;
    moved += outcome.moved;
    without_rail += outcome.without_rail;
    aborts.insert(aborts.end(), outcome.abort_times.begin(), outcome.abort_times.end());
  }
};

double Micros(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

void PrintLongest(const char* what, const Longest& longest, Duration bound) {
  std::printf("%s: at most %.1f ms (bound %.0f ms), of %llu\n", what, Micros(longest.time) / 1000,
              Micros(bound) / 1000, (unsigned long long)longest.of);
}

void PrintFigures(const Figures& figures) {
  PrintLongest("Death of an agent noticed by a peer", figures.noticed, kSilence + kNoticeSlack);
  PrintLongest("Death of a rank to the end of its room at the other side", figures.ended,
               kSilence + kNoticeSlack + kFailSlack);
  PrintLongest("Planned stop noticed by a peer", figures.goodbye, kGoodbyeTime);
  PrintLongest("Released after an abort beside a fault, beyond the fence's deadline",
               figures.abort_of_dead, kAbortTimeOfDead);
  std::printf("%llu requests landed that the bootstrap service was away for\n",
              (unsigned long long)figures.beside_restart);
}

void Print(const Flags& flags, Totals totals, double seconds) {
  const double cpu = static_cast<double>(clock()) / CLOCKS_PER_SEC;
  std::printf(
      "%llu histories from seed %llu in %.1f s of processor time (%.1f s by the clock): "
      "%.0f a second and core\n",
      (unsigned long long)flags.histories, (unsigned long long)flags.seed, cpu, seconds,
      flags.histories / cpu);
  std::printf(
      "%llu steps, %llu requests (%llu judged undisturbed), %llu faults, "
      "%llu starts of agents\n",
      (unsigned long long)totals.steps, (unsigned long long)totals.requests,
      (unsigned long long)totals.clean, (unsigned long long)totals.faults,
      (unsigned long long)totals.agents);
  std::printf("%llu rooms of ranks done, %llu failed; %llu quarantined, %llu bytes flipped\n",
              (unsigned long long)totals.done, (unsigned long long)totals.failed,
              (unsigned long long)totals.quarantined, (unsigned long long)totals.flipped);
  std::printf("%llu parts landed over another channel; %llu requests had no rail left\n",
              (unsigned long long)totals.moved, (unsigned long long)totals.without_rail);
  PrintFigures(totals.figures);
  if (totals.aborts.empty()) return;
  std::sort(totals.aborts.begin(), totals.aborts.end());
  const size_t n = totals.aborts.size();
  std::printf(
      "Released after an abort with live peers, virtual time: p50 %.0f us, p99 %.0f us, "
      "longest %.0f us, of %zu\n",
      Micros(totals.aborts[n / 2]), Micros(totals.aborts[n * 99 / 100]),
      Micros(totals.aborts.back()), n);
}

int Run(const Flags& flags) {
  const auto begin = std::chrono::steady_clock::now();
  Totals totals;
  int violations = 0;
  for (uint64_t i = 0; i < flags.histories; ++i) {
    current_seed = flags.seed + i;
    Outcome outcome = RunHistory(current_seed, flags.trace);
    if (!outcome.violation.empty()) {
      ++violations;
      std::printf(
          "seed %llu: %s\n  again, told: bazel run //tests/simulation -- --seed=%llu "
          "--trace\n",
          (unsigned long long)current_seed, outcome.violation.c_str(),
          (unsigned long long)current_seed);
    }
    totals.Add(std::move(outcome));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  Print(flags, std::move(totals), took.count());
  std::printf("%d violations\n", violations);
  return violations == 0 ? 0 : 1;
}

}  // namespace
}  // namespace baton::sim

int main(int argc, char** argv) {
  baton::sim::Flags flags;
  for (int i = 1; i < argc; ++i) {
    const bool known = baton::sim::ParseFlag(argv[i], "--seed=", &flags.seed) ||
                       baton::sim::ParseFlag(argv[i], "--histories=", &flags.histories);
    if (strcmp(argv[i], "--trace") == 0) {
      flags.trace = true;
    } else if (!known) {
      fprintf(stderr, "usage: simulation [--seed=N] [--histories=N] [--trace]\n");
      return 2;
    }
  }
  baton::InitLog(argv[0]);
  FLAGS_minloglevel = 3;
  signal(SIGABRT, baton::sim::OnAbort);
  return baton::sim::Run(flags);
}
