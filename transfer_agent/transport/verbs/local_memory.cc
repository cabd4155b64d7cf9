#include "transfer_agent/transport/verbs/local_memory.h"

#include <errno.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

constexpr uint64_t kPieceBytesMax = uint64_t{1} << 62;

// The largest power of two that every rail registers at once.
uint64_t PieceBytes(absl::Span<Rail* const> rails) {
  uint64_t bytes = kPieceBytesMax;
  for (const Rail* rail : rails) {
    if (rail->limits().region_bytes_max > 0) {
      bytes = std::min(bytes, std::bit_floor(rail->limits().region_bytes_max));
    }
  }
  return bytes;
}

// What to look at, by what the system said.
std::string Advice(bool dma_buf, int error) {
  if (dma_buf) {
    switch (error) {
      case EOPNOTSUPP:
      case ENOSYS:
      case EPROTONOSUPPORT:
        return "the device's driver or the kernel (5.12 or later) registers no dma-bufs";
      case EINVAL:
        return "the exporter refuses the range, or its memory cannot be pinned for the device "
               "(GPU driver with open kernel modules, large enough BAR, IOMMU off or passthrough)";
      case EBADF:
        return "the descriptor is no dma-buf";
      default:
        break;
    }
  }
  switch (error) {
    case ENOMEM:
    case EPERM:
      return "the limit of locked memory (ulimit -l, or CAP_IPC_LOCK) is too low";
    case EFAULT:
      return "a page cannot be pinned for the device: hand pools over opened with O_RDWR";
    default:
      return "see the kernel's log";
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalMemory>> LocalMemory::Register(
    absl::Span<const LocalRegion> regions, absl::Span<const std::unique_ptr<Rail>> rails) {
  std::unique_ptr<LocalMemory> memory(new LocalMemory());
  for (const auto& rail : rails) memory->rails_.push_back(rail.get());
  memory->regions_.reserve(regions.size());
  for (size_t i = 0; i < regions.size(); ++i) {
    Region& region = memory->regions_.emplace_back();
    region.local = regions[i];
    if (absl::Status status = memory->RegisterRegion(i, &region); !status.ok()) return status;
  }
  return memory;
}

absl::Status LocalMemory::RegisterRegion(size_t index, Region* region) {
  region->piece_bytes = PieceBytes(rails_);
  const uint64_t size = region->local.size;
  for (uint64_t offset = 0; offset < size; offset += region->piece_bytes) {
    const uint64_t length = std::min(region->piece_bytes, size - offset);
    for (const Rail* rail : rails_) {
      ibv_mr* piece = RegisterPiece(*rail, region, offset, length);
      if (piece == nullptr) {
        const int error = errno;
        return Error(
            Reason::kBadRegion,
            absl::StrCat("region ", index, ": ", rail->name(), " cannot register ", length,
                         " bytes", region->local.dma_buf ? " of a dma-buf" : "", ": ",
                         std::strerror(error), ": ", Advice(region->local.dma_buf, error)));
      }
      region->pieces.push_back(piece);
    }
  }
  return absl::OkStatus();
}

ibv_mr* LocalMemory::RegisterPiece(const Rail& rail, Region* region, uint64_t offset,
                                   uint64_t length) {
  const LocalRegion& local = region->local;
  unsigned access = local.target ? IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE : 0u;
  if (rail.limits().relaxed_ordering) access |= IBV_ACCESS_RELAXED_ORDERING;
  if (local.dma_buf) {
    return rail.provider().RegisterDmaBuf(rail.pd(), offset, length, offset, local.fd, access);
  }
  std::byte* base = region->writable != nullptr ? region->writable : local.base;
  ibv_mr* piece = rail.provider().RegisterMemory(rail.pd(), base + offset, length, offset, access);
  if (piece != nullptr || errno != EFAULT || region->writable != nullptr || local.target) {
    return piece;
  }
  // Kernels before 6.3 pin shared pages only through a mapping that may be written. The device
  // still gets no right to write.
  void* mapped = mmap(nullptr, local.size, PROT_READ | PROT_WRITE, MAP_SHARED, local.fd, 0);
  if (mapped == MAP_FAILED) {
    errno = EFAULT;
    return nullptr;
  }
  region->writable = static_cast<std::byte*>(mapped);
  return rail.provider().RegisterMemory(rail.pd(), region->writable + offset, length, offset,
                                        access);
}

LocalMemory::~LocalMemory() {
  for (Region& region : regions_) {
    for (size_t i = 0; i < region.pieces.size(); ++i) {
      const Rail& rail = *rails_[i % rails_.size()];
      const int error = rail.provider().Deregister(region.pieces[i]);
      if (error != 0) LOG(ERROR) << rail.name() << ": dereg_mr: " << std::strerror(error);
    }
    if (region.writable != nullptr) munmap(region.writable, region.local.size);
  }
}

std::string LocalMemory::Key() const {
  std::vector<RemoteMemory::Region> regions;
  for (const Region& region : regions_) {
    if (!region.local.target) return "";
    RemoteMemory::Region& out = regions.emplace_back();
    out.size = region.local.size;
    out.piece_bytes = region.piece_bytes;
    for (const ibv_mr* piece : region.pieces) out.keys.push_back(piece->rkey);
  }
  return EncodeMemory(RemoteMemory(static_cast<uint32_t>(rails_.size()), std::move(regions)));
}

}  // namespace baton::transport::verbs
