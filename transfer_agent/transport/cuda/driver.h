// The few calls of NVIDIA's driver API that moving pages takes, found by dlopen: nothing of CUDA is
// needed to build, or to run where there is no GPU. Types and numbers are those of the driver's ABI
// (cuda.h), which NVIDIA keeps stable. fake_driver.cc is a stand-in for machines without a GPU.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DRIVER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::transport::cuda {

using Result = int;
using Device = int;
using Address = uint64_t;
using Context = void*;
using Stream = void*;
using Event = void*;
using Module = void*;
using Function = void*;
using Allocation = unsigned long long;  // NOLINT(google-runtime-int): the type of the ABI

inline constexpr Result kSuccess = 0;
inline constexpr Result kNotReady = 600;

struct Uuid {
  unsigned char bytes[16] = {};
  bool operator==(const Uuid&) const = default;
};
struct IpcHandle {
  unsigned char bytes[64] = {};
};
struct Location {
  int type = 1;  // a device
  int id = 0;
};
// How memory of cuMemCreate is to be: on one device, shareable as a descriptor.
struct AllocationRule {
  int type = 1;  // pinned
  int handle_types = 1;
  Location location;
  void* zero = nullptr;
  unsigned char flags[8] = {};
};
struct AccessRule {
  Location location;
  int flags = 0;
};
inline constexpr int kAccessRead = 1;
inline constexpr int kAccessReadWrite = 3;
inline constexpr int kPosixDescriptor = 1;
inline constexpr unsigned kIpcLazyPeerAccess = 1;
inline constexpr unsigned kEventNoTiming = 2;
inline constexpr unsigned kStreamNonBlocking = 1;
inline constexpr unsigned kHostPortable = 1;
inline constexpr unsigned kHostMapped = 2;
inline constexpr unsigned kHostReadOnly = 8;
inline constexpr int kMultiprocessors = 16;

struct Driver {
  Result (*init)(unsigned) = nullptr;
  Result (*version)(int*) = nullptr;
  Result (*device_count)(int*) = nullptr;
  Result (*device_get)(Device*, int) = nullptr;
  Result (*device_uuid)(Uuid*, Device) = nullptr;
  Result (*device_name)(char*, int, Device) = nullptr;
  Result (*device_attribute)(int*, int, Device) = nullptr;
  Result (*can_access_peer)(int*, Device, Device) = nullptr;
  Result (*context_retain)(Context*, Device) = nullptr;
  Result (*context_release)(Device) = nullptr;
  Result (*context_set)(Context) = nullptr;
  Result (*priority_range)(int*, int*) = nullptr;
  Result (*stream_create)(Stream*, unsigned, int) = nullptr;
  Result (*stream_destroy)(Stream) = nullptr;
  Result (*stream_synchronize)(Stream) = nullptr;
  Result (*event_create)(Event*, unsigned) = nullptr;
  Result (*event_record)(Event, Stream) = nullptr;
  Result (*event_query)(Event) = nullptr;
  Result (*event_destroy)(Event) = nullptr;
  Result (*module_load)(Module*, const void*) = nullptr;
  Result (*module_unload)(Module) = nullptr;
  Result (*module_function)(Function*, Module, const char*) = nullptr;
  Result (*launch)(Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                   Stream, void**, void**) = nullptr;
  Result (*alloc)(Address*, size_t) = nullptr;
  Result (*free)(Address) = nullptr;
  Result (*host_alloc)(void**, size_t, unsigned) = nullptr;
  Result (*host_free)(void*) = nullptr;
  Result (*host_register)(void*, size_t, unsigned) = nullptr;
  Result (*host_unregister)(void*) = nullptr;
  Result (*host_address)(Address*, void*, unsigned) = nullptr;
  Result (*copy_in)(Address, const void*, size_t, Stream) = nullptr;
  Result (*copy_out)(void*, Address, size_t, Stream) = nullptr;
  Result (*ipc_get)(IpcHandle*, Address) = nullptr;
  Result (*ipc_open)(Address*, IpcHandle, unsigned) = nullptr;
  Result (*ipc_close)(Address) = nullptr;
  Result (*create)(Allocation*, size_t, const AllocationRule*, Allocation) = nullptr;
  Result (*import)(Allocation*, void*, int) = nullptr;
  Result (*export_descriptor)(void*, Allocation, int, Allocation) = nullptr;
  Result (*retain_allocation)(Allocation*, void*) = nullptr;
  Result (*release)(Allocation) = nullptr;
  Result (*reserve)(Address*, size_t, size_t, Address, Allocation) = nullptr;
  Result (*unreserve)(Address, size_t) = nullptr;
  Result (*map)(Address, size_t, size_t, Allocation, Allocation) = nullptr;
  Result (*unmap)(Address, size_t) = nullptr;
  Result (*set_access)(Address, size_t, const AccessRule*, size_t) = nullptr;
  Result (*address_range)(Address*, size_t*, Address) = nullptr;
  Result (*error_name)(Result, const char**) = nullptr;

  std::string Name(Result result) const;
  // OK, or TRANSPORT with what was tried and the driver's word for why it did not work.
  absl::Status Check(Result result, absl::string_view what) const;
};

inline constexpr char kDriverLibrary[] = "libcuda.so.1";
// The oldest that reads the kernel's PTX: that of CUDA 13.0.
inline constexpr int kDriverVersionMin = 13000;

// Loaded once for each name and never unloaded. Blocks; thread-safe. NO_TRANSPORT says whether
// there is no driver, one that is too old, or one that cannot start.
absl::StatusOr<const Driver*> LoadDriver(const std::string& library);

// "GPU-0123..." as nvidia-smi prints it.
std::string UuidText(const Uuid& uuid);

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DRIVER_H_
