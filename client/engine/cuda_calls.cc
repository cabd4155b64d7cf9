#include "client/engine/cuda_calls.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::cuda {
namespace {

template <typename Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

}  // namespace

std::string Calls::Name(Result result) const {
  const char* name = nullptr;
  return error_name(result, &name) == 0 && name != nullptr ? name : absl::StrCat("error ", result);
}

absl::StatusOr<Calls> LoadCalls(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("there is no CUDA driver to export GPU memory: ", dlerror()));
  }
  Calls calls;
  if (Find(handle, "cuCtxGetDevice", &calls.context_device) &&
      Find(handle, "cuDeviceGetAttribute", &calls.attribute) &&
      Find(handle, "cuMemGetHandleForAddressRange", &calls.export_range) &&
      Find(handle, "cuGetErrorName", &calls.error_name) &&
      Find(handle, "cuPointerGetAttribute", &calls.pointer_attribute) &&
      Find(handle, "cuDeviceGet", &calls.device_get) &&
      Find(handle, "cuDeviceGetUuid_v2", &calls.device_uuid) &&
      Find(handle, "cuMemGetAddressRange_v2", &calls.address_range) &&
      Find(handle, "cuIpcGetMemHandle", &calls.ipc_get) &&
      Find(handle, "cuMemRetainAllocationHandle", &calls.retain_allocation) &&
      Find(handle, "cuMemExportToShareableHandle", &calls.export_descriptor) &&
      Find(handle, "cuMemRelease", &calls.release)) {
    return calls;
  }
  return Error(Reason::kNoTransport,
               absl::StrCat("the CUDA driver ", library, " is older than 11.7: ", dlerror()));
}

}  // namespace baton::cuda
