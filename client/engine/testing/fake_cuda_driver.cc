// A stand-in for libcuda.so.1 with one GPU of 1 MiB at kBase. The environment says how it fails:
// FAKE_CUDA = no_context | no_dma_buf | unordered, or nothing.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace {

constexpr uint64_t kBase = 0x7f0000000000;
constexpr uint64_t kBytes = 1 << 20;
constexpr int kInvalidValue = 1;
constexpr int kInvalidContext = 201;

bool Fails(const char* how) {
  const char* wanted = getenv("FAKE_CUDA");
  return wanted != nullptr && strcmp(wanted, how) == 0;
}

// Like the driver's: it has a size and no seals, and is closed at an exec.
int FileOf(uint64_t size) {
  int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  return fd >= 0 && ftruncate(fd, static_cast<off_t>(size)) == 0 ? fd : -1;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the names of the ABI.
extern "C" {

int cuCtxGetDevice(int* device) {
  *device = 3;
  return Fails("no_context") ? kInvalidContext : 0;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (device != 3) return kInvalidValue;
  if (attribute == 124) *value = Fails("no_dma_buf") ? 0 : 1;
  if (attribute == 118) *value = Fails("unordered") ? 0 : 100;
  return 0;
}

int cuMemGetHandleForAddressRange(void* handle, uint64_t address, size_t size, int type,
                                  uint64_t flags) {
  if (type != 1 || flags != 0 || address < kBase || address - kBase + size > kBytes)
    return kInvalidValue;
  int fd = FileOf(size);
  memcpy(handle, &fd, sizeof fd);
  return fd >= 0 ? 0 : kInvalidValue;
}

int cuGetErrorName(int result, const char** name) {
  *name = result == kInvalidValue ? "CUDA_ERROR_INVALID_VALUE" : "CUDA_ERROR_INVALID_CONTEXT";
  return 0;
}
}
// NOLINTEND(readability-identifier-naming)
