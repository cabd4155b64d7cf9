// Where items and page lists lie while a kernel reads them: pinned host memory, with as much memory
// of the GPU beside it. An offset is good in both. Bounded: what does not fit waits.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_ARENA_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "transfer_agent/transport/cuda/gpu.h"

namespace baton::transport::cuda {

inline constexpr uint64_t kArenaBytes = 16 << 20;

class Arena {
 public:
  static absl::StatusOr<std::unique_ptr<Arena>> Create(const Gpu* gpu);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Offset of `bytes`, first fit; nullopt while there is no room.
  std::optional<uint64_t> Take(uint64_t bytes);
  void Give(uint64_t offset);

  std::byte* host(uint64_t offset) const { return host_ + offset; }
  // The same bytes as a kernel reads them over the bus, and the GPU's own copy of them.
  uint64_t mapped(uint64_t offset) const { return mapped_ + offset; }
  uint64_t device(uint64_t offset) const { return device_ + offset; }

 private:
  explicit Arena(const Gpu* gpu) : gpu_(gpu) {}

  const Gpu* const gpu_;
  std::byte* host_ = nullptr;
  Address mapped_ = 0;
  Address device_ = 0;
  std::map<uint64_t, uint64_t> taken_;  // offset to bytes
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_ARENA_H_
