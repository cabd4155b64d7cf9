// bazel run //tests/soak -- --seconds=3600 --trace=PATH --json=PATH
//
// Prints how fast everything grew, and in its last line what was lost.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/config/config.h"
#include "common/log.h"
#include "tests/demo/runner/workplace.h"
#include "tests/soak/report.h"
#include "tests/soak/soak.h"
#include "tests/soak/synthetic_trace.h"

namespace baton::soak {
namespace {

// The first ends the load, and what must hold then is still looked at; the second ends the run.
std::atomic<int> interrupts{0};
constexpr size_t kSyntheticRequests = 12000;  // an hour of a busy service

struct Flags {
  SoakOptions soak;
  std::string trace;
  std::string json;
  double warm_up = 60;
  bool keep_logs = false;
};

Flags ParseFlagsOrExit(int argc, char** argv) {
  Flags flags;
  ConfigTable table("soak", "Rooms of a trace for long, with a restart now and then.");
  table.Real("seconds", &flags.soak.seconds, {1, 86400}, "s", "How long rooms are opened.");
  table.Real("rate", &flags.soak.rate, {0, 100000}, "rooms/s",
             "Rooms opened; 0: as many as the machine carries.");
  table.Real("restart_every", &flags.soak.restart_every_s, {1, 86400}, "s",
             "A process is ended and started again so often.");
  table.Real("sample_every", &flags.soak.sample_every_s, {0.1, 3600}, "s",
             "Processes are looked at so often.");
  table.Real("warm_up", &flags.warm_up, {0, 3600}, "s", "Left out of each process's life.");
  table.Number("seed", &flags.soak.seed, {0, UINT64_MAX / 1000 - 1}, "",
               "Of rooms, restarts and a made-up trace.");
  table.Choice("transport", &flags.soak.transport, {"auto", "tcp", "shm", "verbs"},
               "Of all agents; auto: shm.");
  table.Text("trace", &flags.trace, "path",
             "Requests in the format of the Mooncake traces; empty: made up from the seed.");
  table.Text("json", &flags.json, "path", "What was found is written there too.");
  table.Bool("keep_logs", &flags.keep_logs, "Say where the processes' logs are and leave them.");
  table.ParseOrExit(argc, argv);
  return flags;
}

int Fail(const absl::Status& status) {
  std::printf("soak: FAIL %s\n", std::string(status.message()).c_str());
  return 1;
}

int Report(SoakResult result, const Flags& flags) {
  const std::vector<Row> rows = Rows(result.series, flags.warm_up, result.seconds);
  std::printf("%s\n", Table(rows).c_str());
  for (const Row& row : rows) {
    if (row.grows) result.violations.push_back(row.process + " grows: " + row.what);
  }
  for (const auto& [kind, count] : result.restarts) {
    std::printf("  %-20s %d\n", std::string(chaos::Name(kind)).c_str(), static_cast<int>(count));
  }
  std::printf("%s", absl::StrCat("  live at a restart    ", result.live_at_restarts,
                                 " rooms\n  machine stalled      ", result.stalls, " times, ",
                                 result.live_at_stalls, " rooms\n")
                        .c_str());
  std::printf("  CPU of the processes %.2f cores\n", result.cpu_seconds / result.seconds);
  for (const std::string& violation : result.violations) {
    std::printf("VIOLATION %s\n", violation.c_str());
  }
  if (!flags.json.empty()) std::ofstream(flags.json) << Json(result, rows, flags.soak.seed);
  std::printf("%s\n", Summary(result, flags.soak.seed).c_str());
  return result.violations.empty() ? 0 : 1;
}

int Run(int argc, char** argv) {
  Flags flags = ParseFlagsOrExit(argc, argv);
  auto programs = demo::FindPrograms(argv[0]);
  if (!programs.ok()) return Fail(programs.status());
  flags.soak.programs = *std::move(programs);
  if (flags.trace.empty()) {
    flags.soak.trace = SyntheticTrace(flags.soak.seed, kSyntheticRequests);
  } else {
    auto trace = demo::ReadTrace(flags.trace);
    if (!trace.ok()) return Fail(trace.status());
    flags.soak.trace = *std::move(trace);
  }
  auto scratch = demo::ScratchFolder::Make();
  if (!scratch.ok()) return Fail(scratch.status());
  if (flags.keep_logs) {
    scratch->Keep();
    std::printf("logs are kept in %s\n", scratch->path().c_str());
  }
  flags.soak.folder = scratch->path();
  flags.soak.interrupts = [] { return interrupts.load(); };
  Soak soak(flags.soak);
  absl::Status ran = soak.Run();
  const int status = Report(soak.Result(), flags);
  return ran.ok() ? status : Fail(ran);
}

}  // namespace
}  // namespace baton::soak

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  for (int number : {SIGINT, SIGTERM}) {
    signal(number, [](int) { ++baton::soak::interrupts; });
  }
  signal(SIGPIPE, SIG_IGN);
  return baton::soak::Run(argc, argv);
}
