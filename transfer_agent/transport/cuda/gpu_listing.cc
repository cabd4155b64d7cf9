#include "transfer_agent/transport/cuda/gpu_listing.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/cuda/driver.h"

namespace baton::transport::cuda {
namespace {

constexpr int kComputeMode = 20;   // CU_DEVICE_ATTRIBUTE_COMPUTE_MODE; 0: for every process
constexpr int kDescriptors = 103;  // ..._HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED

absl::Status ListOne(const Driver& driver, int ordinal, GpuListing::Row* row) {
  Device device = 0;
  Uuid uuid;
  char name[128] = {};
  absl::Status s = driver.Check(driver.device_get(&device, ordinal), "cuDeviceGet");
  if (s.ok()) s = driver.Check(driver.device_uuid(&uuid, device), "cuDeviceGetUuid");
  if (s.ok()) s = driver.Check(driver.device_name(name, sizeof(name), device), "cuDeviceGetName");
  if (!s.ok()) return s;
  row->ordinal = ordinal;
  row->uuid = UuidText(uuid);
  row->name = name;
  int value = 0;
  row->exclusive = driver.device_attribute(&value, kComputeMode, device) == kSuccess && value != 0;
  row->descriptors =
      driver.device_attribute(&value, kDescriptors, device) == kSuccess && value != 0;
  return absl::OkStatus();
}

bool Reaches(const Driver& driver, int from, int to) {
  int can = 0;
  Device reader = 0;
  Device other = 0;
  driver.device_get(&reader, from);
  driver.device_get(&other, to);
  return driver.can_access_peer(&can, reader, other) == kSuccess && can != 0;
}

}  // namespace

absl::StatusOr<GpuListing> ListGpus(const Driver& driver) {
  GpuListing listing;
  int version = 0;
  driver.version(&version);
  listing.driver = absl::StrCat(version / 1000, ".", version % 1000 / 10);
  int count = 0;
  absl::Status s = driver.Check(driver.device_count(&count), "cuDeviceGetCount");
  if (!s.ok()) return s;
  if (count == 0) {
    return Error(Reason::kNoTransport, "the CUDA driver shows no GPU to this process");
  }
  for (int i = 0; i < count; ++i) {
    if (s = ListOne(driver, i, &listing.gpus.emplace_back()); !s.ok()) return s;
    for (int j = 0; j < i; ++j) {
      if (!Reaches(driver, i, j) || !Reaches(driver, j, i)) listing.apart.emplace_back(j, i);
    }
  }
  return listing;
}

}  // namespace baton::transport::cuda
