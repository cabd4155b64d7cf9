// How other processes of the host get at a region of GPU memory, as its owner offers it.
#ifndef BATON_COMMON_DEVICE_SHARE_H_
#define BATON_COMMON_DEVICE_SHARE_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace baton {

struct DeviceShare {
  enum class Kind : uint8_t {
    kNone,
    kIpc,  // a CUDA IPC handle: memory of cudaMalloc
    kVmm,  // a descriptor of a driver's allocation, which can be mapped read-only
  };
  Kind kind = Kind::kNone;
  // Of the GPU, wherever a process has it in its list.
  std::array<unsigned char, 16> device = {};
  std::array<unsigned char, 64> ipc = {};
  int fd = -1;  // kVmm; borrowed from who has the memory
  // Where the region begins in what the handle names, and how large that is.
  uint64_t offset = 0;
  uint64_t allocation_bytes = 0;

  bool operator==(const DeviceShare&) const = default;
};

}  // namespace baton

#endif  // BATON_COMMON_DEVICE_SHARE_H_
