// Memory that the GPU can address: another process's GPU pool, or host memory.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DEVICE_MAPPING_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DEVICE_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "common/device_share.h"
#include "transfer_agent/transport/cuda/gpu.h"

namespace baton::transport::cuda {

enum class GpuAccess : uint8_t { kRead, kReadWrite };

// Taken back at the end of its life. Move-only.
class DeviceMapping {
 public:
  DeviceMapping() = default;
  DeviceMapping(DeviceMapping&& other) noexcept { *this = std::move(other); }
  DeviceMapping& operator=(DeviceMapping&& other) noexcept;
  ~DeviceMapping() { Reset(); }

  // `size` bytes of the share, for kernels on `gpu`. With a descriptor kRead is the driver's own
  // guarantee; an IPC handle has no read-only form. BAD_REGION: the share does not hold `size`.
  static absl::StatusOr<DeviceMapping> OfShare(const Gpu* gpu, const DeviceShare& share,
                                               uint64_t size, GpuAccess access);
  // Host memory that is mapped here and stays so.
  static absl::StatusOr<DeviceMapping> OfHost(const Gpu* gpu, std::byte* base, uint64_t size,
                                              GpuAccess access);

  uint64_t address() const { return address_; }
  uint64_t size() const { return size_; }

 private:
  absl::Status OpenIpc(const DeviceShare& share);
  absl::Status MapDescriptor(const DeviceShare& share, GpuAccess access);
  void Reset();

  const Gpu* gpu_ = nullptr;
  uint64_t address_ = 0;  // of the region
  uint64_t size_ = 0;
  // What there is to take back; 0 or null: none of it.
  Address ipc_ = 0;
  Address reserved_ = 0;
  uint64_t reserved_bytes_ = 0;
  bool mapped_ = false;
  void* registered_ = nullptr;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DEVICE_MAPPING_H_
