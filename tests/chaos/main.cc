// bazel run //tests:chaos -- --seconds=60 --seed=N
//
// Its last line says how many faults, rooms and pages there were, and `N violations`.
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "tests/chaos/chaos.h"
#include "tests/chaos/flags.h"
#include "tests/demo/runner/workplace.h"

namespace baton::chaos {
namespace {

std::atomic<bool> interrupted{false};

int Fail(const absl::Status& status) {
  std::printf("chaos: FAIL %s\n", std::string(status.message()).c_str());
  return 1;
}

int Report(const ChaosResult& result, const Flags& flags) {
  for (const auto& [kind, count] : result.faults) {
    std::printf("  %-18s %llu\n", std::string(Name(kind)).c_str(),
                static_cast<unsigned long long>(count));
  }
  if (result.stalls > 0) {
    std::printf("  machine stalled    %llu times, which may fail rooms\n",
                static_cast<unsigned long long>(result.stalls));
  }
  for (const std::string& violation : result.violations) {
    std::printf("VIOLATION %s\n", violation.c_str());
  }
  std::printf("%s\n",
              absl::StrCat("chaos: seed ", flags.seed, ", ", result.faults_total(), " faults, ",
                           result.rooms.rooms, " rooms (", result.rooms.done, " done, ",
                           result.rooms.calm, " of them beside the faults), ", result.rooms.pages,
                           " pages checked, ", result.violations.size(), " violations")
                  .c_str());
  return result.violations.empty() ? 0 : 1;
}

int Run(int argc, char** argv) {
  const Flags flags = ParseFlagsOrExit(argc, argv);
  ChaosOptions options;
  absl::Status found = FindPrograms(argv[0], flags, &options);
  if (!found.ok()) return Fail(found);
  auto scratch = demo::ScratchFolder::Make();
  if (!scratch.ok()) return Fail(scratch.status());
  if (flags.keep_logs) {
    scratch->Keep();
    std::printf("logs are kept in %s\n", scratch->path().c_str());
  }
  options.folder = scratch->path();
  options.transport = flags.transport;
  options.checksums = flags.checksums;
  options.seed = flags.seed;
  options.corrupt = flags.corrupt;
  options.rolling = flags.rolling;
  options.faults_for = std::chrono::milliseconds(static_cast<int64_t>(flags.seconds * 1000));
  options.interrupted = [] { return interrupted.load(); };
  Chaos chaos(std::move(options));
  absl::Status ran = chaos.Run();
  const int status = Report(chaos.Result(), flags);
  return ran.ok() ? status : Fail(ran);
}

}  // namespace
}  // namespace baton::chaos

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  for (int number : {SIGINT, SIGTERM}) {
    signal(number, [](int) { baton::chaos::interrupted = true; });
  }
  signal(SIGPIPE, SIG_IGN);
  return baton::chaos::Run(argc, argv);
}
