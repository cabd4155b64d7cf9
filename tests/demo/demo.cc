// The demo: hands real KV pages from a prefill server to a decode server, checks every byte, and
// says so in its last line, "demo: PASS ..." or "demo: FAIL ...".
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "tests/demo/runner/options.h"
#include "tests/demo/runner/pairs.h"
#include "tests/demo/runner/scenario.h"
#include "tests/demo/runner/table.h"
#include "tests/demo/runner/workplace.h"
#include "tests/demo/workload/trace.h"

namespace baton::demo {
namespace {

std::atomic<bool> interrupted{false};

void ListPairs() {
  for (const NamedPair& pair : NamedPairs()) {
    std::printf("%-22s %-11s %-40s -> %s%s\n", pair.name, pair.preset, pair.prefill, pair.decode,
                pair.spread ? " (spread)" : "");
  }
}

absl::Status Prepare(const std::string& argv0, const DemoOptions& options,
                     ScenarioSettings* settings) {
  auto programs = FindPrograms(argv0);
  if (!programs.ok()) return programs.status();
  settings->programs = *std::move(programs);
  auto remote = FindBuilt(argv0, "tests/demo/remote/demo_remote");
  if (!remote.ok()) return remote.status();
  settings->programs.remote = *std::move(remote);
  std::string trace = options.trace;
  if (trace.empty()) {
    auto found = FindBuilt(argv0, "tests/demo/workload/sample.jsonl");
    if (!found.ok()) return found.status();
    trace = *found;
  }
  auto requests = ReadTrace(trace);
  if (!requests.ok()) return requests.status();
  settings->trace = *std::move(requests);
  settings->bootstrap_listen = options.bootstrap_listen;
  settings->router = options.router;
  settings->host = options.host;
  settings->prefill_on = options.prefill_on;
  settings->decode_on = options.decode_on;
  settings->bootstrap = options.bootstrap;
  settings->attach_socket = options.attach_socket;
  settings->silence_ms = options.silence_ms;
  settings->scale = options.scale;
  settings->speed = options.speed;
  settings->pool_bytes = options.pool_mib << 20;
  settings->rooms_in_flight_max = options.rooms_in_flight;
  settings->seed = options.seed;
  settings->checksums = options.checksums;
  settings->corrupt = options.corrupt;
  settings->interrupted = [] { return interrupted.load(); };
  return absl::OkStatus();
}

// The table so far, what is known of the failure, and the last line.
int Fail(const std::vector<TableRow>& rows, const std::string& why) {
  if (!rows.empty()) {
    std::printf("\n%s\n", RenderTable(rows).c_str());
    const ScenarioResult& last = rows.back().result;
    std::printf("%s", last.agent_logs.c_str());
    for (const std::string& fault : last.run.faults) std::printf("%s\n", fault.c_str());
  }
  // The last line is one line; what follows its first in `why` comes before it.
  size_t end = why.find('\n');
  if (end != std::string::npos) std::printf("%s\n", why.c_str());
  std::printf("demo: FAIL %s\n", why.substr(0, end).c_str());
  return 1;
}

int Run(const std::string& argv0, const DemoOptions& options) {
  absl::StatusOr<std::vector<Scenario>> scenarios = MakeScenarios(options);
  if (!scenarios.ok()) return Fail({}, std::string(scenarios.status().message()));
  ScenarioSettings settings;
  absl::Status prepared = Prepare(argv0, options, &settings);
  if (!prepared.ok()) return Fail({}, std::string(prepared.message()));
  auto scratch = ScratchFolder::Make();
  if (!scratch.ok()) return Fail({}, std::string(scratch.status().message()));
  if (options.keep_logs) {
    scratch->Keep();
    std::printf("logs are kept in %s\n", scratch->path().c_str());
  }
  std::vector<TableRow> rows;
  for (const Scenario& scenario : *scenarios) {
    std::printf("%s, prefill %s -> decode %s, transport %s\n", scenario.preset.c_str(),
                scenario.prefill.c_str(), scenario.decode.c_str(), scenario.transport.c_str());
    std::fflush(stdout);
    auto folder = scratch->MakeInside(absl::StrCat(rows.size()));
    if (!folder.ok()) return Fail(rows, std::string(folder.status().message()));
    settings.folder = *folder;
    auto result = RunScenario(scenario, settings);
    if (!result.ok()) {
      return Fail(rows, absl::StrCat(scenario.name, ": ", result.status().message()));
    }
    rows.push_back({scenario, *std::move(result)});
    const ScenarioResult& last = rows.back().result;
    if (!last.run.ok()) {
      bool named = !last.run.faults.empty();
      return Fail(rows, named ? last.run.faults.front() : "pages or rooms failed");
    }
    std::printf("  done: %llu rooms, %zu ranks in %zu engine processes, pools of %.2f GiB\n",
                static_cast<unsigned long long>(last.run.rooms), last.ranks, last.processes,
                last.pool_bytes / double(1 << 30));
  }
  std::printf("\n%s\n%s\n", RenderTable(rows).c_str(), PassLine(rows).c_str());
  return 0;
}

}  // namespace
}  // namespace baton::demo

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  baton::demo::DemoOptions options = baton::demo::ParseOptionsOrExit(argc, argv);
  if (options.list_pairs) {
    baton::demo::ListPairs();
    return 0;
  }
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    signal(number, [](int) { baton::demo::interrupted = true; });
  }
  signal(SIGPIPE, SIG_IGN);
  return baton::demo::Run(argv[0], options);
}
