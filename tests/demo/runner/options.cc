#include "tests/demo/runner/options.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/config/config.h"
#include "common/reason.h"
#include "tests/demo/runner/pairs.h"

namespace baton::demo {
namespace {

constexpr absl::string_view kTransports[] = {"tcp", "shm", "verbs", "auto"};
const char* const kMainPresets[] = {"llama-3-8b", "deepseek-v3", "qwen3-235b"};

// A list may be given by repeating the flag or with commas.
std::vector<std::string> Flatten(const std::vector<std::string>& lists) {
  std::vector<std::string> flat;
  for (const std::string& list : lists) {
    for (absl::string_view item : absl::StrSplit(list, ',', absl::SkipEmpty())) {
      flat.emplace_back(item);
    }
  }
  return flat;
}

std::string PresetNames() {
  std::vector<std::string> names;
  for (const Preset& preset : Presets()) names.push_back(preset.name);
  return absl::StrJoin(names, ", ");
}

void AddRows(DemoOptions* options, ConfigTable* table) {
  table->List("preset", &options->presets, "name",
              absl::StrCat("Models: ", PresetNames(), ". The first three when left out."));
  table->List("transport", &options->transports, "name",
              "tcp, shm, verbs or auto; tcp and shm in turn when left out.");
  table->Text("prefill_topology", &options->prefill_topology, "",
              "Prefill server: ppN,cpN[:sharding],tpN,dpN,pageN,pool:ORDER,stages:A+B.");
  table->Text("decode_topology", &options->decode_topology, "", "Decode server, the same way.");
  table->Bool("spread", &options->spread, "Ranks that hold the same bytes share the sending.");
  table->Real("seconds", &options->seconds, {0.1, 3600}, "s", "Rooms are opened for this long.");
  table->Text("trace", &options->trace, "path",
              "Workload in the format of the Mooncake traces; the demo's own when left out.");
  table->Real("scale", &options->scale, {1e-6, 1}, "", "Tokens for each token of the trace.");
  table->Real("speed", &options->speed, {0, 1e9}, "",
              "Seconds of the trace in one second; 0: as fast as the pools allow.");
  table->Number("seed", &options->seed, {}, "", "Of everything that is drawn.");
  table->Number("pool_mib", &options->pool_mib, {16, 1 << 20}, "MiB",
                "All pools of all ranks together.");
  table->Number("rooms_in_flight", &options->rooms_in_flight, {1, 64}, "", "Rooms open at once.");
  table->Bool("corrupt", &options->corrupt, "Flip one landed byte: the demo must fail.");
  table->Bool("checksums", &options->checksums, "Agents check a CRC32C of what they move.");
  table->Bool("short", &options->short_run, "One model, one second for each transport.");
  table->Bool("keep_logs", &options->keep_logs, "Leave the folder with the logs.");
  table->Bool("list_pairs", &options->list_pairs, "List the named pairs of topologies and end.");
  table->List("pair", &options->pairs, "name", "Run named pairs instead; all: every one.");
  table->Text("router", &options->router, "path",
              "A router's program that says where each room goes; this one when left out.");
  table->Text("bootstrap_listen", &options->bootstrap_listen, "host:port",
              "Address of the bootstrap service.", CheckHostPort);
  table->Text("host", &options->host, "address", "Where the agents of this host listen.");
  table->Number("silence_ms", &options->silence_ms, {1000, 600000}, "ms",
                "Silence after which an agent counts another as lost.");
  table->Text("prefill_on", &options->prefill_on, "host:port",
              "The prefill server runs where a demo_host listens here; empty: on this host.");
  table->Text("bootstrap", &options->bootstrap, "host:port",
              "A bootstrap service that runs already; empty: one is started.");
  table->Text("attach_socket", &options->attach_socket, "path",
              "Agents run already beside --prefill_on and --decode_on and take engines here; "
              "empty: agents are started.");
  table->Text("decode_on", &options->decode_on, "host:port",
              "The decode server runs where a demo_host listens here; empty: on this host.");
}

absl::Status AddPairs(const DemoOptions& options, std::vector<Scenario>* scenarios) {
  std::vector<NamedPair> pairs;
  for (const std::string& name : options.pairs) {
    if (name == "all") {
      pairs.assign(NamedPairs().begin(), NamedPairs().end());
      break;
    }
    const NamedPair* pair = FindPair(name);
    if (pair == nullptr) {
      return Error(Reason::kConfig, absl::StrCat("--pair: no pair ", name, "; see --list_pairs"));
    }
    pairs.push_back(*pair);
  }
  for (const NamedPair& pair : pairs) {
    for (const std::string& transport : options.transports) {
      Scenario scenario{pair.name, pair.preset, pair.prefill, pair.decode, transport, pair.spread};
      scenario.duration = std::chrono::seconds(20);
      scenario.rooms_max = 12;
      scenarios->push_back(std::move(scenario));
    }
  }
  return absl::OkStatus();
}

}  // namespace

DemoOptions ParseOptionsOrExit(int argc, char** argv) {
  DemoOptions options;
  ConfigTable table("demo", "Hands real KV pages from a prefill server to a decode server.");
  AddRows(&options, &table);
  table.ParseOrExit(argc, argv);
  options.presets = Flatten(options.presets);
  options.transports = Flatten(options.transports);
  options.pairs = Flatten(options.pairs);
  return options;
}

absl::StatusOr<std::vector<Scenario>> MakeScenarios(const DemoOptions& given) {
  DemoOptions options = given;
  const bool both_hosts = !options.prefill_on.empty() && !options.decode_on.empty();
  if (!options.attach_socket.empty() && (!both_hosts || options.bootstrap.empty())) {
    return Error(Reason::kConfig,
                 "--attach_socket: agents that run already need --prefill_on, --decode_on and "
                 "--bootstrap too");
  }
  if (options.short_run) options.seconds = 1;
  if (options.presets.empty()) {
    size_t count = options.short_run ? 1 : 3;
    options.presets.assign(kMainPresets, kMainPresets + count);
  }
  if (options.transports.empty()) {
    options.transports = options.pairs.empty() ? std::vector<std::string>{"tcp", "shm"}
                                               : std::vector<std::string>{"auto"};
  }
  for (const std::string& transport : options.transports) {
    if (absl::c_linear_search(kTransports, transport)) continue;
    return Error(Reason::kConfig, absl::StrCat("--transport: ", transport, " must be one of ",
                                               absl::StrJoin(kTransports, ", ")));
  }
  std::vector<Scenario> scenarios;
  absl::Status pairs = AddPairs(options, &scenarios);
  if (!pairs.ok() || !scenarios.empty()) {
    if (!pairs.ok()) return pairs;
    return scenarios;
  }
  for (const std::string& preset : options.presets) {
    if (FindPreset(preset) == nullptr) {
      return Error(Reason::kConfig,
                   absl::StrCat("--preset: no model ", preset, "; there are ", PresetNames()));
    }
    for (const std::string& transport : options.transports) {
      Scenario scenario{preset,    preset,        options.prefill_topology, options.decode_topology,
                        transport, options.spread};
      scenario.duration = std::chrono::milliseconds(static_cast<int64_t>(options.seconds * 1000));
      scenarios.push_back(std::move(scenario));
    }
  }
  return scenarios;
}

}  // namespace baton::demo
