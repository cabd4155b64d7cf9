// A pool in host memory that an agent can reach: a sealed memfd, mapped here.
//
//   auto pool = HostPool::Create("kv", bytes);  // memory of ours, for the engine
//   auto pool = HostPool::Adopt("kv", address, bytes, Around::kRefuse);  // the engine's, in place
//   options.regions = {pool->Region()};
//
// Adopting puts a memfd behind memory that the engine has allocated already, at the same addresses
// and with its contents, so that no engine has to change how it allocates.
#ifndef BATON_CLIENT_ENGINE_HOST_POOL_H_
#define BATON_CLIENT_ENGINE_HOST_POOL_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/engine/engine_client.h"
#include "common/memfd.h"
#include "common/unique_fd.h"

namespace baton {

// What to do with bytes that share the first or last page with adopted memory.
enum class Around : uint8_t {
  kRefuse,  // the range must be whole pages
  kTake,    // they move along, and the agent can read (decode: write) them too
};

// Move-only. Its end closes the descriptor; created memory is unmapped, adopted memory stays where
// it is until the engine frees it. Const calls are thread-safe.
class HostPool {
 public:
  // Zeroed memory, all of it reserved now. BAD_REGION or SYSTEM name what was short.
  static absl::StatusOr<HostPool> Create(const std::string& name, uint64_t bytes);

  // [address, address + bytes) must be private, writable memory of this process without a file
  // behind it, such as malloc or torch gives; BAD_REGION says what it is instead. Nothing may write
  // to it during the call, and nobody may have locked, pinned or registered it before. A child that
  // is forked later shares it.
  static absl::StatusOr<HostPool> Adopt(const std::string& name, void* address, uint64_t bytes,
                                        Around around);

  // The descriptor is borrowed from the pool.
  PoolRegion Region() const { return {name_, fd_.get(), bytes_, false}; }
  int fd() const { return fd_.get(); }
  std::byte* base() const { return base_; }
  uint64_t bytes() const { return bytes_; }
  // Where the adopted range begins in the region: 0 unless its first page was shared.
  uint64_t offset() const { return offset_; }

 private:
  HostPool() = default;

  std::string name_;
  UniqueFd fd_;
  Mapping owned_;  // of created memory
  std::byte* base_ = nullptr;
  uint64_t bytes_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_HOST_POOL_H_
