// Memory of the stand-in's GPUs, for tests that export it as an engine does.
#ifndef BATON_CLIENT_ENGINE_TESTING_STAND_IN_GPU_H_
#define BATON_CLIENT_ENGINE_TESTING_STAND_IN_GPU_H_

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

#include "common/log.h"

namespace baton {

inline constexpr char kStandInDriver[] = "transfer_agent/transport/cuda/libfake_driver.so";

// The process's stand-in; its GPUs' memory is host memory, which the test may read and write.
class StandInGpu {
 public:
  explicit StandInGpu(int ordinal = 0) : driver_(dlopen(kStandInDriver, RTLD_NOW | RTLD_LOCAL)) {
    CHECK(driver_ != nullptr) << dlerror();
    void* context = nullptr;
    CHECK_EQ(Call<int(void**, int)>("cuDevicePrimaryCtxRetain")(&context, ordinal), 0);
    CHECK_EQ(Call<int(void*)>("cuCtxSetCurrent")(context), 0);
  }

  // Of cudaMalloc.
  uint64_t Allocate(size_t bytes) const {
    uint64_t address = 0;
    CHECK_EQ(Call<int(uint64_t*, size_t)>("cuMemAlloc_v2")(&address, bytes), 0);
    return address;
  }

  // Of cuMemCreate and cuMemMap.
  uint64_t Map(size_t bytes) const {
    using Handle = unsigned long long;  // NOLINT(google-runtime-int): the type of the ABI
    Handle allocation = 0;
    uint64_t address = 0;
    const int access[] = {1, 0, 3};  // of a device, its ordinal, read and write
    CHECK_EQ(Call<int(Handle*, size_t, const void*, Handle)>("cuMemCreate")(&allocation, bytes,
                                                                            nullptr, 0),
             0);
    CHECK_EQ(Call<int(uint64_t*, size_t, size_t, uint64_t, Handle)>("cuMemAddressReserve")(
                 &address, bytes, 0, 0, 0),
             0);
    CHECK_EQ(Call<int(uint64_t, size_t, size_t, Handle, Handle)>("cuMemMap")(address, bytes, 0,
                                                                             allocation, 0),
             0);
    CHECK_EQ(Call<int(uint64_t, size_t, const void*, size_t)>("cuMemSetAccess")(address, bytes,
                                                                                access, 1),
             0);
    CHECK_EQ(Call<int(Handle)>("cuMemRelease")(allocation), 0);
    return address;
  }

 private:
  template <typename Function>
  Function* Call(const char* name) const {
    auto* call = reinterpret_cast<Function*>(dlsym(driver_, name));
    CHECK(call != nullptr) << name;
    return call;
  }

  void* const driver_;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_TESTING_STAND_IN_GPU_H_
