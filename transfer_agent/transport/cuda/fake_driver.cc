// A stand-in for libcuda.so.1: GPUs whose memory is host memory, and whose kernel is the same walk
// in C++. What was put on a stream happens when an event behind it is asked for the second time, so
// that work is under way for a while, as on a GPU. Read-only mappings are read-only here too.
//
// FAKE_CUDA in the environment says what is amiss: no_gpu | old | no_peer | mig | hidden (only the
// first GPU is seen) | exclusive | launch_fails, and for who exports memory no_context |
// no_dma_buf | unordered | no_ipc, or nothing. While there is a file FAKE_CUDA_HOLD, no launch
// ends; while there is FAKE_CUDA_HOLD_MAPS, no handle is opened.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>

#include "common/mutex.h"
#include "transfer_agent/transport/cuda/driver.h"
#include "transfer_agent/transport/cuda/fake_kernel.h"
#include "transfer_agent/transport/cuda/pull_item.h"

namespace {

using baton::transport::cuda::AccessRule;
using baton::transport::cuda::IpcHandle;
using baton::transport::cuda::Launch;
using baton::transport::cuda::RunPull;
using baton::transport::cuda::Uuid;

constexpr int kGpus = 2;
constexpr int kInvalidValue = 1;
constexpr int kOutOfMemory = 2;
constexpr int kNoSuchGpu = 101;
constexpr int kNoContext = 201;
constexpr int kNotReady = 600;
constexpr int kLaunchFailed = 719;

struct Memory {
  int fd;
  size_t bytes;
  int device = 0;
  bool vmm = false;  // mapped by cuMemMap
};
struct Queue {
  uint64_t put = 0;
  uint64_t done = 0;
  std::deque<std::function<void()>> work;
};
struct Mark {
  Queue* stream = nullptr;
  uint64_t behind = 0;
  int asked = 0;
};

baton::Mutex mutex;
std::map<uint64_t, Memory> memories;  // by address
char contexts[kGpus];
thread_local int current = 0;

bool Fails(const char* how) {
  const char* wanted = getenv("FAKE_CUDA");
  return wanted != nullptr && strcmp(wanted, how) == 0;
}

// Whether there is the file that the variable names.
bool Held(const char* variable) {
  const char* file = getenv(variable);
  return file != nullptr && access(file, F_OK) == 0;
}

// Null: not of a GPU.
const Memory* FindMemory(uint64_t address, uint64_t* base) {
  auto it = memories.upper_bound(address);
  if (it == memories.begin()) return nullptr;
  --it;
  *base = it->first;
  return address - it->first < it->second.bytes ? &it->second : nullptr;
}

void* MapFd(int fd, size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? nullptr : at;
}

void RunUntil(Queue* stream, uint64_t until) {
  while (stream->done < until) {
    stream->work.front()();
    stream->work.pop_front();
    ++stream->done;
  }
}

void Put(void* stream, std::function<void()> work) {
  auto* queue = static_cast<Queue*>(stream);
  queue->work.push_back(std::move(work));
  ++queue->put;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the names of the ABI.
extern "C" {

int cuInit(unsigned) { return 0; }
int cuDriverGetVersion(int* version) {
  *version = Fails("old") ? 12080 : 13000;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = Fails("no_gpu") ? 0 : Fails("hidden") ? 1 : kGpus;
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal < kGpus ? 0 : kNoSuchGpu;
}
int cuDeviceGetUuid_v2(Uuid* uuid, int device) {
  memset(uuid->bytes, 0xfa, sizeof(uuid->bytes));
  uuid->bytes[15] = static_cast<unsigned char>(device);
  return 0;
}
int cuDeviceGetName(char* name, int size, int) {
  snprintf(name, static_cast<size_t>(size), Fails("mig") ? "stand-in GPU MIG 1g" : "stand-in GPU");
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = 132;
  if (attribute == 124) *value = Fails("no_dma_buf") ? 0 : 1;
  if (attribute == 20) *value = Fails("exclusive") ? 3 : 0;
  if (attribute == 118) *value = Fails("unordered") ? 0 : 100;
  return 0;
}
int cuDeviceCanAccessPeer(int* can, int, int) {
  *can = Fails("no_peer") || Fails("mig") ? 0 : 1;
  return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = &contexts[device];
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxSetCurrent(void* context) {
  current = static_cast<int>(static_cast<char*>(context) - contexts);
  return 0;
}
int cuCtxGetDevice(int* device) {
  *device = current;
  return Fails("no_context") ? kNoContext : 0;
}
int cuGetErrorName(int result, const char** name) {
  *name = result == kNoSuchGpu      ? "CUDA_ERROR_INVALID_DEVICE"
          : result == kLaunchFailed ? "CUDA_ERROR_LAUNCH_FAILED"
          : result == kOutOfMemory  ? "CUDA_ERROR_OUT_OF_MEMORY"
          : result == kNoContext    ? "CUDA_ERROR_INVALID_CONTEXT"
                                    : "CUDA_ERROR_INVALID_VALUE";
  return 0;
}

int cuCtxGetStreamPriorityRange(int* lowest, int* highest) {
  *lowest = 0;
  *highest = -5;
  return 0;
}
int cuStreamCreateWithPriority(void** stream, unsigned, int) {
  *stream = new Queue;
  return 0;
}
int cuStreamSynchronize(void* stream) {
  const baton::MutexLock lock(&mutex);
  auto* queue = static_cast<Queue*>(stream);
  RunUntil(queue, queue->put);
  return 0;
}
int cuStreamDestroy_v2(void* stream) {
  cuStreamSynchronize(stream);
  delete static_cast<Queue*>(stream);
  return 0;
}
int cuEventCreate(void** event, unsigned) {
  *event = new Mark;
  return 0;
}
int cuEventRecord(void* event, void* stream) {
  const baton::MutexLock lock(&mutex);
  auto* queue = static_cast<Queue*>(stream);
  *static_cast<Mark*>(event) = {queue, queue->put, 0};
  return 0;
}
int cuEventQuery(void* event) {
  const baton::MutexLock lock(&mutex);
  auto* mark = static_cast<Mark*>(event);
  if (Fails("launch_fails")) return kLaunchFailed;
  if (Held("FAKE_CUDA_HOLD")) return kNotReady;
  if (mark->asked++ == 0) return kNotReady;
  RunUntil(mark->stream, mark->behind);
  return 0;
}
int cuEventDestroy_v2(void* event) {
  delete static_cast<Mark*>(event);
  return 0;
}
int cuModuleLoadData(void** module, const void* image) {
  *module = const_cast<void*>(image);
  return strstr(static_cast<const char*>(image), "baton_pull") != nullptr ? 0 : kInvalidValue;
}
int cuModuleUnload(void*) { return 0; }
int cuModuleGetFunction(void** function, void* module, const char*) {
  *function = module;
  return 0;
}
int cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                   void* stream, void** arguments, void**) {
  const baton::MutexLock lock(&mutex);
  const Launch launch = *static_cast<const Launch*>(arguments[0]);
  Put(stream, [launch] { RunPull(launch); });
  return 0;
}

int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  const int fd = memfd_create("stand-in-gpu", MFD_CLOEXEC);
  void* at = fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? MapFd(fd, bytes) : nullptr;
  if (at == nullptr) return kOutOfMemory;
  const baton::MutexLock lock(&mutex);
  *address = reinterpret_cast<uint64_t>(at);
  memories[*address] = {fd, bytes, current};
  return 0;
}
int cuMemFree_v2(uint64_t address) {
  const baton::MutexLock lock(&mutex);
  auto it = memories.find(address);
  if (it == memories.end()) return kInvalidValue;
  munmap(reinterpret_cast<void*>(address), it->second.bytes);
  if (it->second.fd >= 0) close(it->second.fd);
  memories.erase(it);
  return 0;
}
int cuMemGetAddressRange_v2(uint64_t* base, size_t* bytes, uint64_t address) {
  const baton::MutexLock lock(&mutex);
  const Memory* memory = FindMemory(address, base);
  if (memory == nullptr) return kInvalidValue;
  *bytes = memory->bytes;
  return 0;
}
// The device's ordinal alone.
int cuPointerGetAttribute(void* value, int attribute, uint64_t address) {
  const baton::MutexLock lock(&mutex);
  uint64_t base = 0;
  const Memory* memory = FindMemory(address, &base);
  if (memory == nullptr || attribute != 9) return kInvalidValue;
  memcpy(value, &memory->device, sizeof(memory->device));
  return 0;
}
// Like the driver's: it has a size and no seals, and is closed at an exec.
int cuMemGetHandleForAddressRange(void* handle, uint64_t address, size_t bytes, int type,
                                  unsigned long long flags) {
  const baton::MutexLock lock(&mutex);
  uint64_t base = 0;
  const Memory* memory = FindMemory(address, &base);
  if (type != 1 || flags != 0 || memory == nullptr || address - base + bytes > memory->bytes) {
    return kInvalidValue;
  }
  const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  memcpy(handle, &fd, sizeof fd);
  return fd >= 0 && ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : kInvalidValue;
}
int cuMemHostAlloc(void** host, size_t bytes, unsigned) {
  *host = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (*host == MAP_FAILED) return kOutOfMemory;
  const baton::MutexLock lock(&mutex);
  memories[reinterpret_cast<uint64_t>(*host)] = {-1, bytes};
  return 0;
}
int cuMemFreeHost(void* host) { return cuMemFree_v2(reinterpret_cast<uint64_t>(host)); }
int cuMemHostRegister_v2(void*, size_t, unsigned) { return 0; }
int cuMemHostUnregister(void*) { return 0; }
int cuMemHostGetDevicePointer_v2(uint64_t* address, void* host, unsigned) {
  *address = reinterpret_cast<uint64_t>(host);
  return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
  const baton::MutexLock lock(&mutex);
  Put(stream, [=] { memcpy(reinterpret_cast<void*>(to), from, bytes); });
  return 0;
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void*) {
  memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return 0;
}
int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
  memcpy(reinterpret_cast<void*>(to), from, bytes);
  return 0;
}
int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
  memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return 0;
}

// A handle names a descriptor of the process that made it.
int cuIpcGetMemHandle(IpcHandle* handle, uint64_t address) {
  const baton::MutexLock lock(&mutex);
  auto it = memories.find(address);
  if (it == memories.end() || it->second.vmm || Fails("no_ipc")) return kInvalidValue;
  snprintf(reinterpret_cast<char*>(handle->bytes), sizeof(handle->bytes), "/proc/%d/fd/%d",
           getpid(), it->second.fd);
  return 0;
}
int cuIpcOpenMemHandle_v2(uint64_t* address, IpcHandle handle, unsigned) {
  while (Held("FAKE_CUDA_HOLD_MAPS")) usleep(1000);  // as slow a driver as a test wants
  const int fd = open(reinterpret_cast<const char*>(handle.bytes), O_RDWR | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) return kInvalidValue;
  void* at = MapFd(fd, static_cast<size_t>(status.st_size));
  if (at == nullptr) return kInvalidValue;
  const baton::MutexLock lock(&mutex);
  *address = reinterpret_cast<uint64_t>(at);
  memories[*address] = {fd, static_cast<size_t>(status.st_size)};
  return 0;
}
int cuIpcCloseMemHandle(uint64_t address) { return cuMemFree_v2(address); }

// An allocation is the descriptor of its memory.
int cuMemCreate(unsigned long long* allocation, size_t bytes, const void*, unsigned long long) {
  const int fd = memfd_create("stand-in-gpu", MFD_CLOEXEC);
  if (fd <= 0 || ftruncate(fd, static_cast<off_t>(bytes)) != 0) return kOutOfMemory;
  *allocation = static_cast<unsigned long long>(fd);
  return 0;
}
int cuMemImportFromShareableHandle(unsigned long long* allocation, void* handle, int) {
  const int fd = fcntl(static_cast<int>(reinterpret_cast<intptr_t>(handle)), F_DUPFD_CLOEXEC, 1);
  *allocation = static_cast<unsigned long long>(fd);
  return fd > 0 ? 0 : kInvalidValue;
}
int cuMemExportToShareableHandle(void* handle, unsigned long long allocation, int,
                                 unsigned long long) {
  const int fd = fcntl(static_cast<int>(allocation), F_DUPFD_CLOEXEC, 1);
  memcpy(handle, &fd, sizeof(fd));
  return fd > 0 ? 0 : kInvalidValue;
}
int cuMemRetainAllocationHandle(unsigned long long* allocation, void* address) {
  const baton::MutexLock lock(&mutex);
  uint64_t base = 0;
  const Memory* memory = FindMemory(reinterpret_cast<uint64_t>(address), &base);
  if (memory == nullptr || !memory->vmm) return kInvalidValue;
  *allocation = static_cast<unsigned long long>(fcntl(memory->fd, F_DUPFD_CLOEXEC, 1));
  return 0;
}
int cuMemRelease(unsigned long long allocation) {
  return close(static_cast<int>(allocation)) == 0 ? 0 : kInvalidValue;
}
int cuMemAddressReserve(uint64_t* address, size_t bytes, size_t, uint64_t, unsigned long long) {
  void* at = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  *address = reinterpret_cast<uint64_t>(at);
  return at == MAP_FAILED ? kOutOfMemory : 0;
}
int cuMemAddressFree(uint64_t address, size_t bytes) {
  return munmap(reinterpret_cast<void*>(address), bytes) == 0 ? 0 : kInvalidValue;
}
int cuMemMap(uint64_t address, size_t bytes, size_t, unsigned long long allocation,
             unsigned long long) {
  struct stat status {};
  const int fd = static_cast<int>(allocation);
  if (fstat(fd, &status) != 0 || static_cast<size_t>(status.st_size) != bytes) return kInvalidValue;
  void* at =
      mmap(reinterpret_cast<void*>(address), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0);
  if (at == MAP_FAILED) return kInvalidValue;
  const baton::MutexLock lock(&mutex);
  memories[address] = {fcntl(fd, F_DUPFD_CLOEXEC, 1), bytes, current, /*vmm=*/true};
  return 0;
}
int cuMemUnmap(uint64_t address, size_t bytes) {
  {
    const baton::MutexLock lock(&mutex);
    auto it = memories.find(address);
    if (it == memories.end()) return kInvalidValue;
    close(it->second.fd);
    memories.erase(it);
  }
  void* at = mmap(reinterpret_cast<void*>(address), bytes, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  return at == MAP_FAILED ? kInvalidValue : 0;
}
int cuMemSetAccess(uint64_t address, size_t bytes, const AccessRule* rule, size_t) {
  const int access = rule->flags == 1 ? PROT_READ : PROT_READ | PROT_WRITE;
  return mprotect(reinterpret_cast<void*>(address), bytes, access) == 0 ? 0 : kInvalidValue;
}
}
// NOLINTEND(readability-identifier-naming)
