#include "tests/chaos/device_objects.h"

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace baton::chaos {

std::string ToString(const DeviceObjects& objects) {
  return absl::StrCat(objects.queue_pairs, " queue pairs, ", objects.regions, " regions, ",
                      objects.completion_queues, " completion queues on ", objects.devices,
                      " devices");
}

// 0: rxe0: pd 1 cq 1 qp 1 cm_id 0 mr 0 ctx 0 srq 0
absl::StatusOr<DeviceObjects> ParseDeviceObjects(absl::string_view text) {
  DeviceObjects sum;
  const std::map<absl::string_view, uint64_t*> counted = {
      {"qp", &sum.queue_pairs}, {"cq", &sum.completion_queues}, {"mr", &sum.regions}};
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    bool counts = false;
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      auto it = counted.find(words[i]);
      uint64_t count = 0;
      if (it == counted.end() || !absl::SimpleAtoi(words[i + 1], &count)) continue;
      *it->second += count;
      counts = true;
    }
    sum.devices += counts;
  }
  if (sum.devices == 0) {
    return absl::InternalError(absl::StrCat("'rdma resource show' names no device: ", text));
  }
  return sum;
}

absl::StatusOr<DeviceObjects> CountDeviceObjects() {
  FILE* pipe = popen("rdma resource show 2>&1", "re");
  if (pipe == nullptr) return absl::InternalError("cannot run 'rdma resource show'");
  std::string text;
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, n);
  pclose(pipe);
  return ParseDeviceObjects(text);
}

}  // namespace baton::chaos
