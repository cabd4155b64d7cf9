// What all processes of this host hold on its RDMA devices, as the kernel counts it.
#ifndef BATON_TESTS_CHAOS_DEVICE_OBJECTS_H_
#define BATON_TESTS_CHAOS_DEVICE_OBJECTS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::chaos {

// Sums over all devices.
struct DeviceObjects {
  uint32_t devices = 0;
  uint64_t queue_pairs = 0;
  uint64_t completion_queues = 0;
  uint64_t regions = 0;

  // None of them is more than in `other`.
  bool Within(const DeviceObjects& other) const {
    return queue_pairs <= other.queue_pairs && completion_queues <= other.completion_queues &&
           regions <= other.regions;
  }
};
std::string ToString(const DeviceObjects& objects);

// Of what `rdma resource show` prints. INTERNAL when no line names a device.
absl::StatusOr<DeviceObjects> ParseDeviceObjects(absl::string_view text);
// Runs it. The program comes with iproute2.
absl::StatusOr<DeviceObjects> CountDeviceObjects();

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_DEVICE_OBJECTS_H_
