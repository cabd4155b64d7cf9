// Requests from a workload file in the format of the Mooncake traces: one JSON object a line with
// `timestamp` (ms), `input_length`, `output_length` (tokens) and `hash_ids` (blocks of 512 tokens).
#ifndef BATON_TESTS_DEMO_WORKLOAD_TRACE_H_
#define BATON_TESTS_DEMO_WORKLOAD_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::demo {

inline constexpr uint64_t kBlockTokens = 512;
inline constexpr uint64_t kInputTokensMax = 16 << 20;
inline constexpr uint64_t kTraceLineMax = 4 << 20;  // bytes
inline constexpr uint64_t kTraceRequestsMax = 1 << 20;

struct Request {
  uint64_t timestamp_ms = 0;
  uint64_t input_tokens = 0;
  uint64_t output_tokens = 0;
  std::vector<uint64_t> blocks;

  bool operator==(const Request&) const = default;
};

// CONFIG names the file, the line, the field and what it must be. Blank lines are skipped; a file
// without requests is an error. `name` stands for the file in errors.
absl::StatusOr<std::vector<Request>> ParseTrace(absl::string_view text, absl::string_view name);

absl::StatusOr<std::vector<Request>> ReadTrace(const std::string& path);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_WORKLOAD_TRACE_H_
