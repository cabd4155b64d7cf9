#include "client/engine/cuda_pool.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton {
namespace {

// What is used of the CUDA driver's ABI (cuda.h), which NVIDIA keeps stable.
using Result = int;
using Device = int;
using DevicePointer = unsigned long long;  // NOLINT(google-runtime-int): the type of the ABI
constexpr int kWritesOrdering = 118;       // CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_WRITES_ORDERING
constexpr int kDmaBufSupported = 124;      // CU_DEVICE_ATTRIBUTE_DMA_BUF_SUPPORTED
constexpr int kOrderedForOwner = 100;      // CU_GPU_DIRECT_RDMA_WRITES_ORDERING_OWNER
constexpr int kDmaBufHandle = 1;           // CU_MEM_RANGE_HANDLE_TYPE_DMA_BUF_FD

struct Driver {
  Result (*context_device)(Device*) = nullptr;
  Result (*attribute)(int*, int, Device) = nullptr;
  Result (*export_range)(void*, DevicePointer, size_t, int, DevicePointer) = nullptr;
  Result (*error_name)(Result, const char**) = nullptr;

  std::string Name(Result result) const {
    const char* name = nullptr;
    return error_name(result, &name) == 0 && name != nullptr ? name
                                                             : absl::StrCat("error ", result);
  }
};

template <typename Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

// Never unloaded: the engine's own use of the driver outlives every call of ours.
absl::StatusOr<Driver> Load(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("there is no CUDA driver to export GPU memory: ", dlerror()));
  }
  Driver driver;
  if (!Find(library, "cuCtxGetDevice", &driver.context_device) ||
      !Find(library, "cuDeviceGetAttribute", &driver.attribute) ||
      !Find(library, "cuMemGetHandleForAddressRange", &driver.export_range) ||
      !Find(library, "cuGetErrorName", &driver.error_name)) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("the CUDA driver ", name, " is older than 11.7: ", dlerror()));
  }
  return driver;
}

absl::Status CheckAligned(uint64_t address, uint64_t size) {
  auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (size != 0 && address % page == 0 && size % page == 0) return absl::OkStatus();
  return Error(Reason::kBadRegion,
               absl::StrCat("a GPU pool of ", size, " bytes at 0x", absl::Hex(address),
                            ": address and size must be multiples of the page size, ", page));
}

}  // namespace

absl::StatusOr<CudaPool> ExportCudaPool(uint64_t address, uint64_t size, const char* driver) {
  if (absl::Status s = CheckAligned(address, size); !s.ok()) return s;
  absl::StatusOr<Driver> cuda = Load(driver);
  if (!cuda.ok()) return cuda.status();

  Device device = 0;
  if (Result r = cuda->context_device(&device); r != 0) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("this thread has no CUDA context (cuCtxGetDevice: ", cuda->Name(r),
                              "): make the device's current"));
  }
  int exports = 0;
  if (cuda->attribute(&exports, kDmaBufSupported, device) != 0 || exports == 0) {
    return Error(
        Reason::kNoTransport,
        absl::StrCat("GPU ", device, " cannot export its memory as a dma-buf: it takes the ",
                     "open kernel modules of the driver and Linux 5.12"));
  }
  int fd = -1;
  if (Result r = cuda->export_range(&fd, address, size, kDmaBufHandle, 0); r != 0) {
    return Error(Reason::kBadRegion,
                 absl::StrCat("GPU ", device, " does not export ", size, " bytes at 0x",
                              absl::Hex(address), ": ", cuda->Name(r)));
  }
  CudaPool pool;
  pool.dma_buf.Reset(fd);
  int scope = 0;
  pool.device_orders_writes =
      cuda->attribute(&scope, kWritesOrdering, device) == 0 && scope >= kOrderedForOwner;
  return pool;
}

}  // namespace baton
