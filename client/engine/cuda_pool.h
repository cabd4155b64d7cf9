// A pool in an NVIDIA GPU's memory, as EngineClient::Attach takes it:
//
//   auto pool = ExportCudaPool(address, bytes);  // keep it as long as the client
//   options.regions = {pool->Region("kv")};
//   options.device_orders_writes = pool->device_orders_writes;
//
// Links no CUDA: the driver that the engine runs on is asked by its library's name.
#ifndef BATON_CLIENT_ENGINE_CUDA_POOL_H_
#define BATON_CLIENT_ENGINE_CUDA_POOL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/engine/engine_client.h"
#include "common/device_share.h"
#include "common/unique_fd.h"

namespace baton {

// Move-only.
struct CudaPool {
  uint64_t bytes = 0;
  // For RDMA devices; unset where the driver exports none.
  UniqueFd dma_buf;
  // For the GPUs of this host: a CUDA IPC handle of what cudaMalloc gave, or a descriptor of the
  // driver's allocation. kNone where the driver lends neither.
  DeviceShare share;
  UniqueFd allocation;  // the share's descriptor
  // What of the two is not there, and why; empty when both are.
  std::string missing;
  // The driver's word (CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_WRITES_ORDERING): kernels of this GPU
  // see what an adapter has written without a flush. The agent spares its own if every pool says
  // so.
  bool device_orders_writes = false;

  // The descriptors are borrowed from the pool.
  PoolRegion Region(const std::string& name) const {
    return {name, dma_buf.get(), bytes, /*dma_buf=*/true, share};
  }
};

// Exports `bytes` of device memory from `address` on: all in one allocation, of which a part will
// do; for a dma-buf both are multiples of the host's page size. The calling thread must have the
// device's context as its current one, as it has after any call of the CUDA runtime. Thread-safe.
// An error says why neither can be had: NO_TRANSPORT when this machine's driver or device exports
// nothing, BAD_REGION when it refuses this memory, with the driver's word.
absl::StatusOr<CudaPool> ExportCudaPool(uint64_t address, uint64_t bytes,
                                        const char* driver = "libcuda.so.1");

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_CUDA_POOL_H_
