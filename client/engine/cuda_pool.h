// A pool in an NVIDIA GPU's memory, as EngineClient::Attach takes it:
//
//   auto pool = ExportCudaPool(address, bytes);
//   options.regions = {{.name = "kv", .fd = pool->dma_buf.get(), .size = bytes, .dma_buf = true}};
//   options.device_orders_writes = pool->device_orders_writes;
//
// Links no CUDA: the driver that the engine runs on is asked by its library's name.
#ifndef BATON_CLIENT_ENGINE_CUDA_POOL_H_
#define BATON_CLIENT_ENGINE_CUDA_POOL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace baton {

struct CudaPool {
  UniqueFd dma_buf;  // to be kept as long as the client, which re-attaches with it
  // The driver's word (CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_WRITES_ORDERING): kernels of this GPU
  // see what an adapter has written without a flush. The agent spares its own if every pool says
  // so.
  bool device_orders_writes = false;
};

// Exports `size` bytes of device memory from `address` on, both multiples of the host's page size;
// a part of an allocation will do. The calling thread must have the device's context as its current
// one, as it has after any call of the CUDA runtime. Thread-safe. NO_TRANSPORT when this machine's
// driver or device exports nothing, BAD_REGION when it refuses this memory: with the driver's word.
absl::StatusOr<CudaPool> ExportCudaPool(uint64_t address, uint64_t size,
                                        const char* driver = "libcuda.so.1");

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_CUDA_POOL_H_
