#include "transfer_agent/transport/cuda/driver.h"

#include <dlfcn.h>

#include <map>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton::transport::cuda {
namespace {

class Finder {
 public:
  explicit Finder(void* library) : library_(library) {}

  template <typename F>
  Finder& operator()(const char* name, F* function) {
    *function = reinterpret_cast<F>(dlsym(library_, name));
    if (*function == nullptr && missing_ == nullptr) missing_ = name;
    return *this;
  }
  const char* missing() const { return missing_; }

 private:
  void* library_;
  const char* missing_ = nullptr;
};

void FindDevices(Finder& find, Driver* d) {
  find("cuInit", &d->init)("cuDriverGetVersion", &d->version)("cuDeviceGetCount", &d->device_count);
  find("cuDeviceGet", &d->device_get)("cuDeviceGetUuid_v2", &d->device_uuid);
  find("cuDeviceGetName", &d->device_name)("cuDeviceGetAttribute", &d->device_attribute);
  find("cuDeviceCanAccessPeer", &d->can_access_peer);
  find("cuDevicePrimaryCtxRetain", &d->context_retain);
  find("cuDevicePrimaryCtxRelease_v2", &d->context_release);
  find("cuCtxSetCurrent", &d->context_set)("cuGetErrorName", &d->error_name);
}

void FindWork(Finder& find, Driver* d) {
  find("cuCtxGetStreamPriorityRange", &d->priority_range);
  find("cuStreamCreateWithPriority", &d->stream_create)("cuStreamDestroy_v2", &d->stream_destroy);
  find("cuStreamSynchronize", &d->stream_synchronize)("cuEventCreate", &d->event_create);
  find("cuEventRecord", &d->event_record)("cuEventQuery", &d->event_query);
  find("cuEventDestroy_v2", &d->event_destroy)("cuModuleLoadData", &d->module_load);
  find("cuModuleUnload", &d->module_unload)("cuModuleGetFunction", &d->module_function);
  find("cuLaunchKernel", &d->launch)("cuMemcpyHtoDAsync_v2", &d->copy_in);
  find("cuMemcpyDtoHAsync_v2", &d->copy_out);
}

void FindMemory(Finder& find, Driver* d) {
  find("cuMemAlloc_v2", &d->alloc)("cuMemFree_v2", &d->free)("cuMemHostAlloc", &d->host_alloc);
  find("cuMemFreeHost", &d->host_free)("cuMemHostRegister_v2", &d->host_register);
  find("cuMemHostUnregister", &d->host_unregister);
  find("cuMemHostGetDevicePointer_v2", &d->host_address)("cuIpcGetMemHandle", &d->ipc_get);
  find("cuIpcOpenMemHandle_v2", &d->ipc_open)("cuIpcCloseMemHandle", &d->ipc_close);
  find("cuMemCreate", &d->create)("cuMemImportFromShareableHandle", &d->import);
  find("cuMemExportToShareableHandle", &d->export_descriptor);
  find("cuMemRetainAllocationHandle", &d->retain_allocation)("cuMemRelease", &d->release);
  find("cuMemAddressReserve", &d->reserve)("cuMemAddressFree", &d->unreserve);
  find("cuMemMap", &d->map)("cuMemUnmap", &d->unmap)("cuMemSetAccess", &d->set_access);
  find("cuMemGetAddressRange_v2", &d->address_range);
}

absl::StatusOr<std::unique_ptr<Driver>> Load(const std::string& name) {
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error(Reason::kNoTransport, absl::StrCat("there is no CUDA driver here: ", dlerror()));
  }
  auto driver = std::make_unique<Driver>();
  Finder find(library);
  FindDevices(find, driver.get());
  FindWork(find, driver.get());
  FindMemory(find, driver.get());
  if (find.missing() != nullptr) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("the CUDA driver ", name, " is too old: it has no ", find.missing()));
  }
  if (Result r = driver->init(0); r != kSuccess) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("the CUDA driver does not start: ", driver->Name(r)));
  }
  int version = 0;
  driver->version(&version);
  if (version < kDriverVersionMin) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("the CUDA driver is too old: it is of CUDA ", version / 1000, ".",
                              version % 1000 / 10, ", transport cuda needs that of CUDA 13.0"));
  }
  return driver;
}

}  // namespace

std::string Driver::Name(Result result) const {
  const char* name = nullptr;
  if (error_name(result, &name) == kSuccess && name != nullptr) return name;
  return absl::StrCat("error ", result);
}

absl::Status Driver::Check(Result result, absl::string_view what) const {
  if (result == kSuccess) return absl::OkStatus();
  return Error(Reason::kTransport, absl::StrCat("cuda: ", what, ": ", Name(result)));
}

absl::StatusOr<const Driver*> LoadDriver(const std::string& library) {
  static auto* const mutex = new Mutex;
  static auto* const loaded = new std::map<std::string, std::unique_ptr<Driver>>;
  MutexLock lock(mutex);
  std::unique_ptr<Driver>& driver = (*loaded)[library];
  if (driver == nullptr) {
    absl::StatusOr<std::unique_ptr<Driver>> made = Load(library);
    if (!made.ok()) return made.status();
    driver = *std::move(made);
  }
  return driver.get();
}

std::string UuidText(const Uuid& uuid) {
  const std::string hex =
      absl::BytesToHexString({reinterpret_cast<const char*>(uuid.bytes), sizeof(uuid.bytes)});
  return absl::StrCat("GPU-", hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

}  // namespace baton::transport::cuda
