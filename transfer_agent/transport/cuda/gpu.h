// The GPUs that this process sees, each with its context, a stream of low priority and the kernel.
// Belongs to one worker.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_H_

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/cuda/driver.h"

namespace baton::transport::cuda {

// The context of one GPU with the kernel in it: one a process, for the process's life.
struct GpuProgram {
  Device device = 0;
  Context context = nullptr;
  Function kernel = nullptr;
};
// Blocks for what that takes, some tenths of a second, the first time. Thread-safe.
absl::StatusOr<const GpuProgram*> LoadProgram(const Driver* driver, int ordinal);

class Gpu {
 public:
  // Blocks where the process has no context on it yet.
  static absl::StatusOr<std::unique_ptr<Gpu>> Open(const Driver* driver, int ordinal);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const Driver& driver() const { return *driver_; }
  int ordinal() const { return ordinal_; }
  Stream stream() const { return stream_; }
  Function kernel() const { return program_->kernel; }
  // The calling thread's calls go to this GPU from here on.
  absl::Status MakeCurrent() const;

 private:
  Gpu(const Driver* driver, int ordinal) : driver_(driver), ordinal_(ordinal) {}
  absl::Status Start();

  const Driver* const driver_;
  const int ordinal_;
  const GpuProgram* program_ = nullptr;
  Stream stream_ = nullptr;
};

class GpuTable {
 public:
  // NO_TRANSPORT: no GPU is visible here.
  static absl::StatusOr<GpuTable> Create(const Driver* driver);

  // Makes its context, on any thread.
  absl::Status Prepare(const std::array<unsigned char, 16>& uuid) const;
  // Opens it at the first call. NO_TRANSPORT names a GPU that this process does not see.
  absl::StatusOr<Gpu*> Find(const std::array<unsigned char, 16>& uuid);
  absl::StatusOr<Gpu*> First() { return At(0); }
  // NO_TRANSPORT names the two GPUs where `reader` has no access to the other's memory, or the one
  // that this process does not see. `reader` may be null: the other one itself.
  absl::Status CheckPeer(const Gpu* reader, const std::array<unsigned char, 16>& other) const;
  const Driver& driver() const { return *driver_; }
  // "2 x NVIDIA H200, driver of CUDA 13.0"
  std::string Summary() const;

 private:
  struct Row {
    Uuid uuid;
    std::string name;
    std::unique_ptr<Gpu> gpu;
  };
  explicit GpuTable(const Driver* driver) : driver_(driver) {}
  absl::StatusOr<Gpu*> At(size_t row);
  absl::Status Hidden(const std::array<unsigned char, 16>& uuid) const;
  int OrdinalOf(const std::array<unsigned char, 16>& uuid) const;

  const Driver* driver_;
  std::vector<Row> rows_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_H_
