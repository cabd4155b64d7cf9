// The calls of the CUDA driver with which it exports memory, found by dlopen.
#ifndef BATON_CLIENT_ENGINE_CUDA_CALLS_H_
#define BATON_CLIENT_ENGINE_CUDA_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace baton::cuda {

// What is used of the driver's ABI (cuda.h), which NVIDIA keeps stable.
using Result = int;
using Device = int;
using Address = unsigned long long;     // NOLINT(google-runtime-int): the type of the ABI
using Allocation = unsigned long long;  // NOLINT(google-runtime-int): the type of the ABI
struct IpcHandle {
  unsigned char bytes[64];
};

inline constexpr int kWritesOrdering = 118;   // CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_WRITES_ORDERING
inline constexpr int kDmaBufSupported = 124;  // CU_DEVICE_ATTRIBUTE_DMA_BUF_SUPPORTED
inline constexpr int kOrderedForOwner = 100;  // CU_GPU_DIRECT_RDMA_WRITES_ORDERING_OWNER
inline constexpr int kDmaBufHandle = 1;       // CU_MEM_RANGE_HANDLE_TYPE_DMA_BUF_FD
inline constexpr int kDeviceOrdinal = 9;      // CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
inline constexpr int kPosixDescriptor = 1;    // CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR

struct Calls {
  Result (*context_device)(Device*) = nullptr;
  Result (*attribute)(int*, int, Device) = nullptr;
  Result (*export_range)(void*, Address, size_t, int, Address) = nullptr;
  Result (*error_name)(Result, const char**) = nullptr;
  Result (*pointer_attribute)(void*, int, Address) = nullptr;
  Result (*device_get)(Device*, int) = nullptr;
  Result (*device_uuid)(void*, Device) = nullptr;
  Result (*address_range)(Address*, size_t*, Address) = nullptr;
  Result (*ipc_get)(IpcHandle*, Address) = nullptr;
  Result (*retain_allocation)(Allocation*, void*) = nullptr;
  Result (*export_descriptor)(void*, Allocation, int, Allocation) = nullptr;
  Result (*release)(Allocation) = nullptr;

  std::string Name(Result result) const;
};

// Never unloaded: the engine's own use of the driver outlives every call of ours. NO_TRANSPORT:
// there is none, or it is too old.
absl::StatusOr<Calls> LoadCalls(const char* library);

}  // namespace baton::cuda

#endif  // BATON_CLIENT_ENGINE_CUDA_CALLS_H_
