#include "tests/chaos/flags.h"

#include "common/config/config.h"
#include "common/reason.h"
#include "tests/demo/runner/workplace.h"
#include "tests/demo/workload/trace.h"

namespace baton::chaos {

Flags ParseFlagsOrExit(int argc, char** argv) {
  Flags flags;
  ConfigTable table("chaos", "Kills, stops and cuts Baton's processes while rooms run.");
  table.Real("seconds", &flags.seconds, {1, 86400}, "s", "How long faults go on.");
  table.Number("seed", &flags.seed, {0, UINT64_MAX}, "", "Of faults and rooms.");
  table.Choice("transport", &flags.transport, {"auto", "tcp", "shm", "verbs"},
               "Of all agents; auto: shm.");
  table.Text("trace", &flags.trace, "path", "Requests; empty: the sample that comes along.");
  table.Bool("checksums", &flags.checksums, "Check a CRC32C of every segment.");
  table.Bool("corrupt", &flags.corrupt, "Flip landed bytes, to see that it is noticed.");
  table.Bool("keep_logs", &flags.keep_logs, "Say where the processes' logs are and leave them.");
  table.Bool("rolling", &flags.rolling, "Restart everything once, one by one, instead.");
  table.List("place", &flags.places, "name@address",
             "Network namespace and address: of the bootstrap service, then of each pod. All five "
             "or none.");
  table.ParseOrExit(argc, argv);
  return flags;
}

absl::Status FindPrograms(const std::string& argv0, const Flags& flags, ChaosOptions* options) {
  auto programs = demo::FindPrograms(argv0);
  if (!programs.ok()) return programs.status();
  options->programs = *std::move(programs);
  if (!flags.places.empty() && flags.places.size() != 5) {
    return Error(Reason::kConfig, "--place must be given five times");
  }
  for (const std::string& text : flags.places) {
    auto place = ParsePlace(text);
    if (!place.ok()) return place.status();
    options->places.push_back(*std::move(place));
  }
  std::string trace = flags.trace;
  if (trace.empty()) {
    auto found = demo::FindBuilt(argv0, "tests/demo/workload/sample.jsonl");
    if (!found.ok()) return found.status();
    trace = *found;
  }
  auto requests = demo::ReadTrace(trace);
  if (!requests.ok()) return requests.status();
  options->trace = *std::move(requests);
  return absl::OkStatus();
}

}  // namespace baton::chaos
