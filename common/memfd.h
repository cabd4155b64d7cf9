// Anonymous shared memory that travels between processes as a file descriptor.
//
// Memory that two processes share must not shrink under the one that did not create it: a read past
// the end kills the reader with SIGBUS. So everything is sealed by its creator, and CheckSealed
// refuses what is not. No path and no mount is involved: a missing or full /dev/shm is no matter.
#ifndef BATON_COMMON_MEMFD_H_
#define BATON_COMMON_MEMFD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace baton {

// A shared mapping; unmapped at the end of its life. Move-only.
class Mapping {
 public:
  Mapping() = default;
  Mapping(std::byte* base, uint64_t bytes) : base_(base), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { Reset(); }

  std::byte* base() const { return base_; }
  uint64_t bytes() const { return bytes_; }
  explicit operator bool() const { return base_ != nullptr; }
  void Reset();
  // Gives the mapping to the caller, who unmaps it.
  std::byte* Release() { return std::exchange(base_, nullptr); }

 private:
  std::byte* base_ = nullptr;
  uint64_t bytes_ = 0;
};

enum class Access { kRead, kReadWrite };

// A memfd of `bytes`, zeroed, that can neither shrink nor grow. Its pages are reserved now, in the
// caller's name: memory that is short is an error here and no SIGBUS later, and it is charged to
// the caller and not to whoever touches it first. More seals may follow. SYSTEM errors name what
// was short and what to do.
absl::StatusOr<UniqueFd> CreateSealedMemfd(const std::string& name, uint64_t bytes);

// From now on nobody can map or write the memory writable; mappings that exist stay as they are.
// No seal can be added after this.
absl::Status SealAgainstNewWriters(int fd);
// No seal can be added after this.
absl::Status SealForGood(int fd);

// Another descriptor of the same memory that can only read.
absl::StatusOr<UniqueFd> ReopenReadOnly(int fd);

// OK when `fd` is a memfd of at least `bytes` that cannot shrink. BAD_REGION says what is wrong.
absl::Status CheckSealed(int fd, uint64_t bytes);

// OK when all pages of the first `bytes` are reserved. Those that are not would be charged to the
// one that touches them first: the agent. BAD_REGION says how many and what to do.
absl::Status CheckReserved(int fd, uint64_t bytes);

absl::StatusOr<Mapping> MapShared(int fd, uint64_t bytes, Access access);

}  // namespace baton

#endif  // BATON_COMMON_MEMFD_H_
