// One line of the demo's table: a model, two topologies and a transport, from start to end.
#ifndef BATON_TESTS_DEMO_RUNNER_SCENARIO_H_
#define BATON_TESTS_DEMO_RUNNER_SCENARIO_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/demo/router/tally.h"
#include "tests/demo/runner/cluster.h"
#include "tests/demo/workload/trace.h"

namespace baton::demo {

struct Scenario {
  std::string name;  // of the row
  std::string preset;
  std::string prefill;
  std::string decode;
  std::string transport;
  bool spread = false;
  std::chrono::milliseconds duration{4000};
  uint64_t rooms_max = UINT64_MAX;
};

// What all scenarios of a run share.
struct ScenarioSettings {
  Programs programs;
  std::string folder;
  std::string bootstrap_listen;
  std::string host;
  std::string prefill_on;
  std::string decode_on;
  std::string bootstrap;
  std::string attach_socket;
  uint32_t silence_ms = 3000;
  std::vector<Request> trace;
  double scale = 1;
  double speed = 0;
  uint64_t pool_bytes = 0;  // of all pools together, at most
  uint64_t rooms_in_flight_max = 8;
  uint64_t seed = 0;
  bool checksums = false;
  bool corrupt = false;
  std::string router;  // a program; empty: this one
  std::function<bool()> interrupted;
};

struct ScenarioResult {
  RunResult run;
  AgentTotals agents;
  uint64_t pool_bytes = 0;
  size_t ranks = 0;
  size_t processes = 0;
  std::string agent_logs;  // of a run that failed

  double copies_per_page() const {
    return agents.bytes_landed == 0 ? 0 : double(agents.bytes_copied) / agents.bytes_landed;
  }
};

// An error when it could not be run; otherwise what was wrong is in the result.
absl::StatusOr<ScenarioResult> RunScenario(const Scenario& scenario,
                                           const ScenarioSettings& settings);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_SCENARIO_H_
