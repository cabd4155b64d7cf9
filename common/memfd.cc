#include "common/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace baton {
namespace {

absl::Status MemoryError(absl::string_view what, const std::string& name, uint64_t bytes) {
  return SystemError(absl::StrCat(what, " of ", bytes, " bytes for ", name), errno);
}

absl::StatusOr<UniqueFd> Create(const std::string& name, uint64_t bytes) {
  if (bytes == 0 || bytes > uint64_t{INT64_MAX}) {
    return Error(Reason::kBadRegion, absl::StrCat(name, ": ", bytes, " bytes cannot be a memory"));
  }
  UniqueFd fd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
  // Kernels before 6.3 do not know the flag.
  if (!fd && errno == EINVAL) {
    fd = UniqueFd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (!fd) return MemoryError("memfd_create", name, bytes);
  if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    return MemoryError("ftruncate", name, bytes);
  }
  return fd;
}

// Of huge pages the kernel unmaps whole ones alone: a mapping of a part would stay for good.
absl::Status CheckWholeHugePages(int fd, uint64_t bytes) {
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return SystemError("fstatfs of a handed over descriptor", errno);
  auto page = static_cast<uint64_t>(info.f_bsize);
  if (info.f_type != HUGETLBFS_MAGIC || bytes % page == 0) return absl::OkStatus();
  return Error(Reason::kBadRegion,
               absl::StrCat("the memfd is of huge pages of ", page,
                            " bytes: announce whole ones, not ", bytes, " bytes"));
}

absl::Status AddSeals(int fd, int seals) {
  if (fcntl(fd, F_ADD_SEALS, seals) == 0) return absl::OkStatus();
  return SystemError("fcntl(F_ADD_SEALS)", errno);
}

}  // namespace

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    Reset();
    base_ = std::exchange(other.base_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Mapping::Reset() {
  if (base_ != nullptr) munmap(base_, bytes_);
  base_ = nullptr;
  bytes_ = 0;
}

absl::StatusOr<UniqueFd> CreateSealedMemfd(const std::string& name, uint64_t bytes) {
  absl::StatusOr<UniqueFd> fd = Create(name, bytes);
  if (!fd.ok()) return fd;
  if (fallocate(fd->get(), 0, 0, static_cast<off_t>(bytes)) != 0) {
    return MemoryError("fallocate", name, bytes);
  }
  if (absl::Status s = AddSeals(fd->get(), F_SEAL_SHRINK | F_SEAL_GROW); !s.ok()) return s;
  return fd;
}

absl::Status SealAgainstNewWriters(int fd) {
  return AddSeals(fd, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
}

absl::Status SealForGood(int fd) { return AddSeals(fd, F_SEAL_SEAL); }

absl::StatusOr<UniqueFd> ReopenReadOnly(int fd) {
  UniqueFd copy(open(absl::StrCat("/proc/self/fd/", fd).c_str(), O_RDONLY | O_CLOEXEC));
  if (!copy) return SystemError("reopening a memfd through /proc/self/fd", errno);
  return copy;
}

absl::Status CheckSealed(int fd, uint64_t bytes) {
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError("fstat of a handed over descriptor", errno);
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0) {
    return Error(Reason::kBadRegion, "the descriptor is no memfd: create it with memfd_create");
  }
  if ((seals & F_SEAL_SHRINK) == 0) {
    return Error(Reason::kBadRegion,
                 "the memfd may shrink: seal it with fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)");
  }
  // The size is read after the seal was seen: it can only grow from here.
  if (fstat(fd, &info) != 0) return SystemError("fstat of a handed over descriptor", errno);
  if (static_cast<uint64_t>(info.st_size) < bytes) {
    return Error(Reason::kBadRegion, absl::StrCat("the memfd has ", info.st_size,
                                                  " bytes, fewer than the ", bytes, " announced"));
  }
  return CheckWholeHugePages(fd, bytes);
}

absl::Status CheckReserved(int fd, uint64_t bytes) {
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError("fstat of a handed over descriptor", errno);
  constexpr uint64_t kBlock = 512;  // of st_blocks, whatever the file system
  const uint64_t reserved = static_cast<uint64_t>(info.st_blocks) * kBlock;
  if (reserved >= bytes) return absl::OkStatus();
  return Error(Reason::kBadRegion,
               absl::StrCat("only ", reserved, " of its ", bytes,
                            " bytes are in memory, and the agent's memory limit would pay for the "
                            "rest: call fallocate on the memfd, or write to every page, before you "
                            "attach"));
}

absl::StatusOr<Mapping> MapShared(int fd, uint64_t bytes, Access access) {
  int protection = access == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* base = mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return MemoryError("mmap", "a shared mapping", bytes);
  return Mapping(static_cast<std::byte*>(base), bytes);
}

}  // namespace baton
