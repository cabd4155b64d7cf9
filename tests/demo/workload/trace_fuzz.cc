// A file of requests, as a user names it: what is understood keeps to the bounds that trace.h
// gives.
#include <cstddef>
#include <cstdint>

#include "common/log.h"
#include "tests/demo/workload/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  auto requests = baton::demo::ParseTrace(text, "trace");
  if (!requests.ok()) return 0;
  CHECK(!requests->empty());
  for (const baton::demo::Request& request : *requests) {
    CHECK_LE(request.input_tokens, baton::demo::kInputTokensMax);
  }
  return 0;
}
