#include "transfer_agent/transport/cuda/arena.h"

namespace baton::transport::cuda {
namespace {

constexpr uint64_t kAlign = 256;

}  // namespace

absl::StatusOr<std::unique_ptr<Arena>> Arena::Create(const Gpu* gpu) {
  if (absl::Status s = gpu->MakeCurrent(); !s.ok()) return s;
  const Driver& d = gpu->driver();
  std::unique_ptr<Arena> arena(new Arena(gpu));
  void* host = nullptr;
  absl::Status s =
      d.Check(d.host_alloc(&host, kArenaBytes, kHostPortable | kHostMapped), "cuMemHostAlloc");
  arena->host_ = static_cast<std::byte*>(host);
  if (s.ok()) s = d.Check(d.host_address(&arena->mapped_, host, 0), "cuMemHostGetDevicePointer");
  if (s.ok()) s = d.Check(d.alloc(&arena->device_, kArenaBytes), "cuMemAlloc");
  if (!s.ok()) return s;
  return arena;
}

Arena::~Arena() {
  (void)gpu_->MakeCurrent();
  if (device_ != 0) gpu_->driver().free(device_);
  if (host_ != nullptr) gpu_->driver().host_free(host_);
}

std::optional<uint64_t> Arena::Take(uint64_t bytes) {
  bytes = (bytes + kAlign - 1) / kAlign * kAlign;
  uint64_t at = 0;
  for (const auto& [offset, size] : taken_) {
    if (offset - at >= bytes) break;
    at = offset + size;
  }
  if (kArenaBytes - at < bytes) return std::nullopt;
  taken_[at] = bytes;
  return at;
}

void Arena::Give(uint64_t offset) { taken_.erase(offset); }

}  // namespace baton::transport::cuda
