#include "client/engine/cuda_pool.h"

#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/engine/cuda_calls.h"
#include "common/reason.h"

namespace baton {
namespace {

using cuda::Calls;
using cuda::Result;

std::string Range(uint64_t address, uint64_t bytes) {
  return absl::StrCat(bytes, " bytes at 0x", absl::Hex(address));
}

absl::StatusOr<UniqueFd> ExportDmaBuf(const Calls& cuda, cuda::Device device, uint64_t address,
                                      uint64_t bytes) {
  auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (address % page != 0 || bytes % page != 0) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("address and size must be multiples of the page size, ", page));
  }
  int exports = 0;
  if (cuda.attribute(&exports, cuda::kDmaBufSupported, device) != 0 || exports == 0) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("GPU ", device, " exports none: it takes the open kernel modules of ",
                              "the driver and Linux 5.12"));
  }
  int fd = -1;
  if (Result r = cuda.export_range(&fd, address, bytes, cuda::kDmaBufHandle, 0); r != 0) {
    return Error(Reason::kBadRegion, absl::StrCat("the driver says ", cuda.Name(r)));
  }
  return UniqueFd(fd);
}

// Where the range lies in the allocation that it is all of or a part of.
absl::Status Locate(const Calls& cuda, uint64_t address, uint64_t bytes, DeviceShare* share) {
  cuda::Address base = 0;
  size_t size = 0;
  if (Result r = cuda.address_range(&base, &size, address); r != 0) {
    return Error(
        Reason::kBadRegion,
        absl::StrCat("it is no memory of a GPU: cuMemGetAddressRange says ", cuda.Name(r)));
  }
  share->offset = address - base;
  share->allocation_bytes = size;
  if (share->offset + bytes <= size) return absl::OkStatus();
  return Error(Reason::kBadRegion,
               absl::StrCat("it is of more than one allocation, the first of ", size,
                            " bytes: give a region for each, or allocate the pool in one piece "
                            "(with PyTorch, without expandable_segments)"));
}

// What cuMemCreate made. False: it made none of this, or not for sharing.
bool LendDescriptor(const Calls& cuda, uint64_t address, CudaPool* pool) {
  cuda::Allocation allocation = 0;
  void* at = reinterpret_cast<void*>(static_cast<uintptr_t>(address));
  if (cuda.retain_allocation(&allocation, at) != 0) return false;
  int fd = -1;
  const Result r = cuda.export_descriptor(&fd, allocation, cuda::kPosixDescriptor, 0);
  cuda.release(allocation);
  if (r != 0) return false;
  pool->allocation.Reset(fd);
  pool->share.kind = DeviceShare::Kind::kVmm;
  pool->share.fd = fd;
  return true;
}

absl::Status Lend(const Calls& cuda, uint64_t address, uint64_t bytes, CudaPool* pool) {
  DeviceShare* share = &pool->share;
  if (absl::Status s = Locate(cuda, address, bytes, share); !s.ok()) return s;
  int ordinal = 0;
  cuda::Device device = 0;
  Result r = cuda.pointer_attribute(&ordinal, cuda::kDeviceOrdinal, address);
  if (r == 0) r = cuda.device_get(&device, ordinal);
  if (r == 0) r = cuda.device_uuid(share->device.data(), device);
  if (r != 0) {
    return Error(Reason::kBadRegion, absl::StrCat("its GPU is not known: ", cuda.Name(r)));
  }
  if (LendDescriptor(cuda, address, pool)) return absl::OkStatus();
  cuda::IpcHandle handle;
  r = cuda.ipc_get(&handle, address - share->offset);
  if (r != 0) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("the driver says ", cuda.Name(r), " (cuIpcGetMemHandle): memory of ",
                              "cudaMalloc can be lent, and that of cuMemCreate when it was made ",
                              "with a POSIX descriptor; a pool of cudaMallocAsync cannot"));
  }
  share->kind = DeviceShare::Kind::kIpc;
  std::memcpy(share->ipc.data(), handle.bytes, share->ipc.size());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CudaPool> ExportCudaPool(uint64_t address, uint64_t bytes, const char* driver) {
  if (bytes == 0) return Error(Reason::kBadRegion, "a GPU pool without bytes");
  absl::StatusOr<Calls> cuda = cuda::LoadCalls(driver);
  if (!cuda.ok()) return cuda.status();
  cuda::Device device = 0;
  if (Result r = cuda->context_device(&device); r != 0) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("this thread has no CUDA context (cuCtxGetDevice: ", cuda->Name(r),
                              "): make the device's current"));
  }
  CudaPool pool;
  pool.bytes = bytes;
  absl::StatusOr<UniqueFd> dma_buf = ExportDmaBuf(*cuda, device, address, bytes);
  const absl::Status lent = Lend(*cuda, address, bytes, &pool);
  if (!lent.ok()) {
    pool.share = {};
    absl::StrAppend(&pool.missing,
                    "no CUDA handle for other processes of this host: ", lent.message());
  }
  if (!dma_buf.ok()) {
    absl::StrAppend(&pool.missing, lent.ok() ? "" : "; ",
                    "no dma-buf for RDMA devices: ", dma_buf.status().message());
  }
  if (!lent.ok() && !dma_buf.ok()) {
    return Error(ReasonOf(dma_buf.status()),
                 absl::StrCat("a GPU pool of ", Range(address, bytes), ": ", pool.missing));
  }
  if (dma_buf.ok()) pool.dma_buf = *std::move(dma_buf);
  int scope = 0;
  pool.device_orders_writes = cuda->attribute(&scope, cuda::kWritesOrdering, device) == 0 &&
                              scope >= cuda::kOrderedForOwner;
  return pool;
}

}  // namespace baton
