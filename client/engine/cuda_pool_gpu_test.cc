// On a machine with an NVIDIA GPU: bazel test //client/engine:cuda_pool_gpu_test. What it shows is
// that a real driver's dma-buf is what the agent expects at attach; moving it takes an RDMA device.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <iostream>
#include <thread>

#include "client/engine/cuda_pool.h"
#include "client/engine/testing/attach_dma_buf.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton {
namespace {

// The first GPU, with its primary context current in this thread and some memory.
class Gpu {
 public:
  explicit Gpu(uint64_t bytes) : driver_(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (driver_ == nullptr) return;
    int device = 0;
    void* context = nullptr;
    ok_ = Call<int(unsigned)>("cuInit")(0) == 0 &&
          Call<int(int*, int)>("cuDeviceGet")(&device, 0) == 0 &&
          Call<int(void**, int)>("cuDevicePrimaryCtxRetain")(&context, device) == 0 &&
          Call<int(void*)>("cuCtxSetCurrent")(context) == 0 &&
          Call<int(uint64_t*, size_t)>("cuMemAlloc_v2")(&memory_, bytes) == 0;
  }

  bool ok() const { return ok_; }
  uint64_t memory() const { return memory_; }

 private:
  template <typename Function>
  Function* Call(const char* name) {
    return reinterpret_cast<Function*>(dlsym(driver_, name));
  }

  void* driver_;
  uint64_t memory_ = 0;
  bool ok_ = false;
};

TEST(CudaPoolOnAGpu, IsTakenOverByAnAgent) {
  constexpr uint64_t kBytes = 64 << 20;
  Gpu gpu(kBytes);
  ASSERT_TRUE(gpu.ok()) << "no GPU, or no driver";
  absl::StatusOr<CudaPool> pool = ExportCudaPool(gpu.memory(), kBytes);
  ASSERT_TRUE(pool.ok()) << pool.status();
  absl::StatusOr<CudaPool> part = ExportCudaPool(gpu.memory() + 4096, attach::kSmallPoolBytes);
  ASSERT_TRUE(part.ok()) << part.status();
  std::cout << "device orders writes: " << pool->device_orders_writes << "\n";
  ExpectTakenOver(*part);
}

TEST(CudaPoolOnAGpu, RefusesWhatIsNoMemoryOfTheDevice) {
  Gpu gpu(1 << 20);
  ASSERT_TRUE(gpu.ok()) << "no GPU, or no driver";
  absl::StatusOr<CudaPool> pool = ExportCudaPool(4096, 4096);
  ASSERT_FALSE(pool.ok());
  std::cout << pool.status() << "\n";
}

TEST(CudaPoolOnAGpu, NeedsTheContextOfItsThread) {
  absl::StatusOr<CudaPool> pool = CudaPool();
  std::thread([&pool] { pool = ExportCudaPool(4096, 4096); }).join();
  ASSERT_FALSE(pool.ok());
  std::cout << pool.status() << "\n";
}

}  // namespace
}  // namespace baton
