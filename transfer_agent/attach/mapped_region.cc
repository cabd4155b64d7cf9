#include "transfer_agent/attach/mapped_region.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/memfd.h"
#include "common/reason.h"

namespace baton::attach {
namespace {

// Only drivers can tell more about a dma-buf than its size; registration does, later.
absl::Status CheckDmaBuf(int fd, uint64_t size) {
  if (fcntl(fd, F_GET_SEALS) >= 0) {
    return Error(Reason::kBadRegion, "is announced as a dma-buf but is a memfd");
  }
  off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) {
    return Error(Reason::kBadRegion, "is announced as a dma-buf but has no size");
  }
  if (static_cast<uint64_t>(end) < size) {
    return Error(Reason::kBadRegion, absl::StrCat("the dma-buf has ", end,
                                                  " bytes, fewer than the ", size, " announced"));
  }
  return absl::OkStatus();
}

// A decode pool is written by the agent, so the descriptor must allow it.
absl::Status CheckAccess(int fd, Role role) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return SystemError("fcntl(F_GETFL)", errno);
  int mode = flags & O_ACCMODE;
  if (mode == O_WRONLY || (mode == O_RDONLY && role == Role::kDecode)) {
    return Error(Reason::kBadRegion, role == Role::kDecode
                                         ? "cannot be read and written: open it with O_RDWR"
                                         : "cannot be read: open it with O_RDONLY or O_RDWR");
  }
  return absl::OkStatus();
}

}  // namespace

MappedRegion::MappedRegion(MappedRegion&& other) noexcept
    : fd_(std::move(other.fd_)),
      base_(std::exchange(other.base_, nullptr)),
      size_(other.size_),
      dma_buf_(other.dma_buf_),
      share_(other.share_),
      allocation_(std::move(other.allocation_)) {}

void MappedRegion::SetShare(const DeviceShare& share, UniqueFd allocation) {
  share_ = share;
  share_.fd = allocation.get();
  allocation_ = std::move(allocation);
}

MappedRegion::~MappedRegion() {
  if (base_ != nullptr) munmap(base_, size_);
}

absl::StatusOr<MappedRegion> MapRegion(UniqueFd fd, uint64_t size, bool dma_buf, Role role) {
  if (size == 0) return Error(Reason::kBadRegion, "has no bytes");
  if (dma_buf) {
    if (!fd) return MappedRegion(UniqueFd(), nullptr, size, true);
    if (absl::Status s = CheckDmaBuf(fd.get(), size); !s.ok()) return s;
    return MappedRegion(std::move(fd), nullptr, size, true);
  }
  if (absl::Status s = CheckSealed(fd.get(), size); !s.ok()) return s;
  if (absl::Status s = CheckAccess(fd.get(), role); !s.ok()) return s;
  if (absl::Status s = CheckReserved(fd.get(), size); !s.ok()) return s;
  // A source's pool is read-only here, so that no fault of the agent can change what it hands over.
  Access access = role == Role::kPrefill ? Access::kRead : Access::kReadWrite;
  absl::StatusOr<Mapping> mapping = MapShared(fd.get(), size, access);
  if (!mapping.ok()) return mapping.status();
  return MappedRegion(std::move(fd), mapping->Release(), size, false);
}

}  // namespace baton::attach
