#include "transfer_agent/transport/cuda/device_mapping.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::cuda {

DeviceMapping& DeviceMapping::operator=(DeviceMapping&& other) noexcept {
  std::swap(gpu_, other.gpu_);
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  std::swap(ipc_, other.ipc_);
  std::swap(reserved_, other.reserved_);
  std::swap(reserved_bytes_, other.reserved_bytes_);
  std::swap(mapped_, other.mapped_);
  std::swap(registered_, other.registered_);
  return *this;
}

absl::StatusOr<DeviceMapping> DeviceMapping::OfShare(const Gpu* gpu, const DeviceShare& share,
                                                     uint64_t size, GpuAccess access) {
  if (share.offset > share.allocation_bytes || size > share.allocation_bytes - share.offset) {
    return Error(Reason::kBadRegion,
                 absl::StrCat(size, " bytes at ", share.offset, " of an allocation of ",
                              share.allocation_bytes, " bytes of GPU memory"));
  }
  if (absl::Status s = gpu->MakeCurrent(); !s.ok()) return s;
  DeviceMapping mapping;
  mapping.gpu_ = gpu;
  mapping.size_ = size;
  absl::Status s;
  switch (share.kind) {
    case DeviceShare::Kind::kNone:
      s = Error(Reason::kNoTransport, "GPU memory came without a CUDA handle");
      break;
    case DeviceShare::Kind::kIpc:
      s = mapping.OpenIpc(share);
      break;
    case DeviceShare::Kind::kVmm:
      s = mapping.MapDescriptor(share, access);
      break;
  }
  if (!s.ok()) return s;
  return mapping;
}

absl::Status DeviceMapping::OpenIpc(const DeviceShare& share) {
  const Driver& d = gpu_->driver();
  IpcHandle handle;
  std::memcpy(handle.bytes, share.ipc.data(), share.ipc.size());
  absl::Status s = d.Check(d.ipc_open(&ipc_, handle, kIpcLazyPeerAccess), "cuIpcOpenMemHandle");
  if (!s.ok()) return s;
  // The driver's word for how large it is, not the peer's.
  Address base = 0;
  size_t bytes = 0;
  s = d.Check(d.address_range(&base, &bytes, ipc_), "cuMemGetAddressRange");
  if (!s.ok()) return s;
  const uint64_t ahead = ipc_ - base;
  if (share.offset + size_ > bytes - ahead) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("the CUDA IPC handle names ", bytes, " bytes, too few for ", size_,
                              " at ", share.offset));
  }
  address_ = ipc_ + share.offset;
  return absl::OkStatus();
}

absl::Status DeviceMapping::MapDescriptor(const DeviceShare& share, GpuAccess access) {
  const Driver& d = gpu_->driver();
  Allocation allocation = 0;
  absl::Status s =
      d.Check(d.import(&allocation, reinterpret_cast<void*>(static_cast<intptr_t>(share.fd)),
                       kPosixDescriptor),
              "cuMemImportFromShareableHandle");
  if (!s.ok()) return s;
  reserved_bytes_ = share.allocation_bytes;
  s = d.Check(d.reserve(&reserved_, reserved_bytes_, 0, 0, 0), "cuMemAddressReserve");
  if (s.ok()) {
    // Fails where the allocation is not exactly as large as was said.
    s = d.Check(d.map(reserved_, reserved_bytes_, 0, allocation, 0), "cuMemMap");
    mapped_ = s.ok();
  }
  d.release(allocation);
  if (!s.ok()) return s;
  AccessRule rule;
  rule.location.id = gpu_->ordinal();
  rule.flags = access == GpuAccess::kRead ? kAccessRead : kAccessReadWrite;
  s = d.Check(d.set_access(reserved_, reserved_bytes_, &rule, 1), "cuMemSetAccess");
  address_ = reserved_ + share.offset;
  return s;
}

absl::StatusOr<DeviceMapping> DeviceMapping::OfHost(const Gpu* gpu, std::byte* base, uint64_t size,
                                                    GpuAccess access) {
  if (absl::Status s = gpu->MakeCurrent(); !s.ok()) return s;
  const Driver& d = gpu->driver();
  const unsigned read_only = access == GpuAccess::kRead ? kHostReadOnly : 0;
  DeviceMapping mapping;
  mapping.gpu_ = gpu;
  mapping.size_ = size;
  absl::Status s = d.Check(d.host_register(base, size, kHostPortable | kHostMapped | read_only),
                           absl::StrCat("cuMemHostRegister of ", size, " bytes"));
  if (!s.ok()) return s;
  mapping.registered_ = base;
  s = d.Check(d.host_address(&mapping.address_, base, 0), "cuMemHostGetDevicePointer");
  if (!s.ok()) return s;
  return mapping;
}

void DeviceMapping::Reset() {
  if (gpu_ == nullptr) return;
  const Driver& d = gpu_->driver();
  (void)gpu_->MakeCurrent();
  if (ipc_ != 0) d.ipc_close(ipc_);
  if (mapped_) d.unmap(reserved_, reserved_bytes_);
  if (reserved_ != 0) d.unreserve(reserved_, reserved_bytes_);
  if (registered_ != nullptr) d.host_unregister(registered_);
  gpu_ = nullptr;
}

}  // namespace baton::transport::cuda
