#include "transfer_agent/transport/cuda/device_twin.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "common/log.h"

namespace baton::transport::cuda {
namespace {

// A multiple of every GPU's smallest unit of memory.
constexpr uint64_t kUnit = 2 << 20;

// Kept for the process: contexts take their time.
const Gpu* GpuOf(const Driver* driver, int ordinal) {
  static auto* const gpus = new std::map<int, std::unique_ptr<Gpu>>;
  int count = 0;
  CHECK_EQ(driver->device_count(&count), kSuccess);
  std::unique_ptr<Gpu>& gpu = (*gpus)[std::min(ordinal, count - 1)];
  if (gpu == nullptr) {
    auto opened = Gpu::Open(driver, std::min(ordinal, count - 1));
    CHECK(opened.ok()) << opened.status();
    gpu = *std::move(opened);
  }
  return gpu.get();
}

}  // namespace

std::unique_ptr<DeviceTwin> DeviceTwin::Move(const std::string& driver, int ordinal,
                                             LocalRegion* region) {
  absl::StatusOr<const Driver*> loaded = LoadDriver(driver);
  CHECK(loaded.ok()) << loaded.status();
  const Driver& d = **loaded;
  auto twin = std::make_unique<DeviceTwin>();
  twin->gpu_ = GpuOf(&d, ordinal);
  CHECK(twin->gpu_->MakeCurrent().ok());
  DeviceShare share;
  share.kind = DeviceShare::Kind::kVmm;
  share.allocation_bytes = (region->size + kUnit - 1) / kUnit * kUnit;
  AllocationRule rule;
  rule.location.id = twin->gpu_->ordinal();
  Allocation allocation = 0;
  CHECK_EQ(d.create(&allocation, share.allocation_bytes, &rule, 0), kSuccess);
  CHECK_EQ(d.export_descriptor(&share.fd, allocation, kPosixDescriptor, 0), kSuccess);
  CHECK_EQ(d.release(allocation), kSuccess);
  twin->fd_.Reset(share.fd);
  Uuid uuid;
  Device device = 0;
  CHECK_EQ(d.device_get(&device, twin->gpu_->ordinal()), kSuccess);
  CHECK_EQ(d.device_uuid(&uuid, device), kSuccess);
  std::memcpy(share.device.data(), uuid.bytes, sizeof(uuid.bytes));
  auto mapping = DeviceMapping::OfShare(twin->gpu_, share, region->size, GpuAccess::kReadWrite);
  CHECK(mapping.ok()) << mapping.status();
  twin->mapping_ = *std::move(mapping);
  region->dma_buf = true;
  region->fd = -1;
  region->base = nullptr;
  region->share = share;
  return twin;
}

void DeviceTwin::Push(const std::byte* from, uint64_t offset, uint64_t size) {
  const Driver& d = gpu_->driver();
  CHECK(gpu_->MakeCurrent().ok());
  CHECK_EQ(d.copy_in(mapping_.address() + offset, from, size, gpu_->stream()), kSuccess);
  CHECK_EQ(d.stream_synchronize(gpu_->stream()), kSuccess);
}

void DeviceTwin::Fetch(std::byte* to, uint64_t offset, uint64_t size) {
  const Driver& d = gpu_->driver();
  CHECK(gpu_->MakeCurrent().ok());
  CHECK_EQ(d.copy_out(to, mapping_.address() + offset, size, gpu_->stream()), kSuccess);
  CHECK_EQ(d.stream_synchronize(gpu_->stream()), kSuccess);
}

}  // namespace baton::transport::cuda
