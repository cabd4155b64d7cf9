// The demo's command line.
#ifndef BATON_TESTS_DEMO_RUNNER_OPTIONS_H_
#define BATON_TESTS_DEMO_RUNNER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/demo/runner/scenario.h"

namespace baton::demo {

struct DemoOptions {
  std::vector<std::string> presets;     // empty: the three of the main job
  std::vector<std::string> transports;  // empty: tcp and shm
  std::string prefill_topology = "pp2,cp2:zigzag,tp2";
  std::string decode_topology = "tp2";
  bool spread = false;
  double seconds = 4;
  std::string trace;  // empty: the workload that ships with the demo
  double scale = 1.0 / 64;
  double speed = 0;
  uint64_t seed = 1;
  uint64_t pool_mib = 1536;
  uint64_t rooms_in_flight = 8;
  bool corrupt = false;
  bool checksums = false;
  bool short_run = false;
  bool keep_logs = false;
  bool list_pairs = false;
  std::vector<std::string> pairs;
  std::string router;  // empty: this program
  std::string bootstrap_listen = "127.0.0.1:0";
  std::string host = "127.0.0.1";
  std::string prefill_on;  // empty: here
  std::string decode_on;   // empty: here
  std::string bootstrap;   // empty: started
  std::string attach_socket;
  uint32_t silence_ms = 3000;
};

// Ends the program after --help and on a bad flag.
DemoOptions ParseOptionsOrExit(int argc, char** argv);

// What is to be run. CONFIG names the flag that is wrong.
absl::StatusOr<std::vector<Scenario>> MakeScenarios(const DemoOptions& options);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_OPTIONS_H_
