// The GPUs that this process sees, each with its context, a stream of low priority and the kernel.
// Belongs to one worker.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/cuda/driver.h"
#include "transfer_agent/transport/device_share.h"

namespace baton::transport::cuda {

class Gpu {
 public:
  // Blocks for what a context takes, some tenths of a second where it is the process's first.
  static absl::StatusOr<std::unique_ptr<Gpu>> Open(const Driver* driver, int ordinal);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const Driver& driver() const { return *driver_; }
  int ordinal() const { return ordinal_; }
  Stream stream() const { return stream_; }
  Function kernel() const { return kernel_; }
  // The calling thread's calls go to this GPU from here on.
  absl::Status MakeCurrent() const;

 private:
  Gpu(const Driver* driver, int ordinal) : driver_(driver), ordinal_(ordinal) {}
  absl::Status Start();

  const Driver* const driver_;
  const int ordinal_;
  Device device_ = 0;
  Context context_ = nullptr;
  Stream stream_ = nullptr;
  Module module_ = nullptr;
  Function kernel_ = nullptr;
};

class GpuTable {
 public:
  // NO_TRANSPORT: no GPU is visible here.
  static absl::StatusOr<GpuTable> Create(const Driver* driver);

  // Opens it at the first call. NO_TRANSPORT names a GPU that this process does not see.
  absl::StatusOr<Gpu*> Find(const std::array<unsigned char, 16>& uuid);
  absl::StatusOr<Gpu*> First() { return At(0); }
  // NO_TRANSPORT names the two GPUs where `reader` has no access to the other's memory.
  absl::Status CheckPeer(const Gpu& reader, const std::array<unsigned char, 16>& other) const;
  const Driver& driver() const { return *driver_; }
  // "2 x NVIDIA H200"
  std::string Summary() const;

 private:
  struct Row {
    Uuid uuid;
    std::string name;
    std::unique_ptr<Gpu> gpu;
  };
  explicit GpuTable(const Driver* driver) : driver_(driver) {}
  absl::StatusOr<Gpu*> At(size_t row);
  int OrdinalOf(const std::array<unsigned char, 16>& uuid) const;

  const Driver* driver_;
  std::vector<Row> rows_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_H_
