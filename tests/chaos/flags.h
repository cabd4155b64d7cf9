// The flags of chaos.
#ifndef BATON_TESTS_CHAOS_FLAGS_H_
#define BATON_TESTS_CHAOS_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/chaos/chaos.h"

namespace baton::chaos {

struct Flags {
  double seconds = 60;
  uint64_t seed = 1;
  std::string transport = "auto";
  std::string trace;
  bool checksums = false;
  bool corrupt = false;
  bool keep_logs = false;
  bool rolling = false;
  std::vector<std::string> places;
};

// Ends the program after --help and on a bad flag.
Flags ParseFlagsOrExit(int argc, char** argv);

// The programs, found beside `argv0`, and the trace.
absl::Status FindPrograms(const std::string& argv0, const Flags& flags, ChaosOptions* options);

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_FLAGS_H_
