#include "transfer_agent/transport/verbs/local_memory.h"

#include <errno.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

// Pieces of a large pool are pinned by several threads at once.
constexpr uint64_t kPieceBytesMax = uint64_t{4} << 30;
constexpr size_t kThreadsMax = 4;
// A window is bound to a whole piece, and mlx5 binds no more than this.
constexpr uint64_t kWindowBytesMax = uint64_t{2} << 30;

// The largest power of two that every rail registers, and binds a window to, at once.
uint64_t PieceBytes(absl::Span<Rail* const> rails, bool windows) {
  uint64_t bytes = windows ? kWindowBytesMax : kPieceBytesMax;
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
    absl::Span<const LocalRegion> regions, absl::Span<const std::unique_ptr<Rail>> rails,
    uint64_t windows) {
  std::unique_ptr<LocalMemory> memory(new LocalMemory());
  for (const auto& rail : rails) memory->rails_.push_back(rail.get());
  memory->regions_.reserve(regions.size());
  for (size_t i = 0; i < regions.size(); ++i) {
    if (regions[i].fd < 0 && regions[i].dma_buf) {
      return Error(Reason::kNoTransport,
                   absl::StrCat("region ", i, ": its driver exports it as no dma-buf"));
    }
    if (windows != 0 && regions[i].dma_buf && regions[i].target) {
      return Error(Reason::kNoTransport,
                   absl::StrCat("region ", i,
                                ": the kernel opens GPU memory to no memory window: "
                                "leave --verbs_windows out on agents with GPU pools"));
    }
    Region& region = memory->regions_.emplace_back();
    region.local = regions[i];
    region.piece_bytes = PieceBytes(memory->rails_, windows != 0);
    const uint64_t pieces =
        region.local.size / region.piece_bytes + (region.local.size % region.piece_bytes != 0);
    region.pieces.resize(pieces * memory->rails_.size());
    const bool late = region.local.dma_buf && region.local.target && !region.local.ordered_writes;
    // All regions of a rank are on its one GPU: one of them tells for all.
    if (late && region.local.size > 0) memory->flush_region_ = std::min(memory->flush_region_, i);
  }
  const bool opened = std::all_of(regions.begin(), regions.end(),
                                  [](const LocalRegion& region) { return region.target; });
  if (opened && !regions.empty()) memory->windows_ = windows;
  for (size_t i = 0; i < regions.size(); ++i) {
    if (absl::Status status = memory->RegisterRegion(i); !status.ok()) return status;
  }
  return memory;
}

absl::Status LocalMemory::RegisterRegion(size_t index) {
  Region& region = regions_[index];
  if (region.pieces.empty()) return absl::OkStatus();
  size_t first = 0;
  while (first < rails_.size() && rails_[first]->health.dead) ++first;
  if (first == rails_.size()) {
    return Error(Reason::kNoTransport, absl::StrCat("verbs ", rails_[0]->name(),
                                                    ": the device has failed, and no other is left"
                                                    ": restart the agent"));
  }
  // The first one alone: it finds out how the region's pages can be pinned.
  absl::Status status = RegisterPiece(index, first);
  if (!status.ok() || region.pieces.size() == 1) return status;
  // Pinning walks every page: large pools take seconds, which threads share.
  std::atomic<size_t> next{0};
  std::vector<absl::Status> ends(std::min(region.pieces.size() - 1, kThreadsMax));
  std::vector<std::thread> threads;
  for (absl::Status& end : ends) {
    threads.emplace_back([&, this] {
      for (size_t at = next++; at < region.pieces.size() && end.ok(); at = next++) {
        end = RegisterPiece(index, at);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& end : ends) {
    if (!end.ok()) return end;
  }
  return absl::OkStatus();
}

absl::Status LocalMemory::RegisterPiece(size_t index, size_t at) {
  Region& region = regions_[index];
  const Rail& rail = *rails_[at % rails_.size()];
  if (rail.health.dead || region.pieces[at] != nullptr) return absl::OkStatus();
  const uint64_t offset = at / rails_.size() * region.piece_bytes;
  const uint64_t length = std::min(region.piece_bytes, region.local.size - offset);
  region.pieces[at] = Pin(rail, &region, offset, length);
  if (region.pieces[at] != nullptr) return absl::OkStatus();
  const int error = errno;
  return Error(Reason::kBadRegion,
               absl::StrCat("region ", index, ": ", rail.name(), " cannot register ", length,
                            " bytes", region.local.dma_buf ? " of a dma-buf" : "", ": ",
                            std::strerror(error), ": ", Advice(region.local.dma_buf, error)));
}

ibv_mr* LocalMemory::Pin(const Rail& rail, Region* region, uint64_t offset, uint64_t length) const {
  const LocalRegion& local = region->local;
  unsigned access = 0;
  if (local.target) {
    access =
        IBV_ACCESS_LOCAL_WRITE | (windows_ != 0 ? IBV_ACCESS_MW_BIND : IBV_ACCESS_REMOTE_WRITE);
  }
  if (rail.limits().relaxed_ordering) access |= IBV_ACCESS_RELAXED_ORDERING;
  if (local.dma_buf) {
    // Read by the flush alone: queue pairs to peers allow no reading.
    if (local.target && !local.ordered_writes) access |= IBV_ACCESS_REMOTE_READ;
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
      if (region.pieces[i] == nullptr) continue;
      const Rail& rail = *rails_[i % rails_.size()];
      const int error = rail.provider().Deregister(region.pieces[i]);
      if (error != 0)
        LOG(ERROR) << "verbs " << rail.name() << ": dereg_mr: " << std::strerror(error);
    }
    if (region.writable != nullptr) munmap(region.writable, region.local.size);
  }
}

std::vector<LocalMemory::Piece> LocalMemory::Pieces(size_t rail) const {
  std::vector<Piece> pieces;
  for (const Region& region : regions_) {
    for (uint64_t at = 0; at * rails_.size() < region.pieces.size(); ++at) {
      const uint64_t offset = at * region.piece_bytes;
      pieces.push_back({.mr = region.pieces[at * rails_.size() + rail],
                        .offset = offset,
                        .length = std::min(region.piece_bytes, region.local.size - offset)});
    }
  }
  return pieces;
}

std::vector<RemoteMemory::Region> LocalMemory::Shape() const {
  std::vector<RemoteMemory::Region> shape;
  for (const Region& region : regions_) {
    shape.push_back({.size = region.local.size, .piece_bytes = region.piece_bytes, .keys = {}});
  }
  return shape;
}

std::string LocalMemory::Key() const {
  std::vector<RemoteMemory::Region> shape = Shape();
  for (size_t i = 0; i < regions_.size(); ++i) {
    if (!regions_[i].local.target) return "";
    if (windows_ != 0) continue;
    for (const ibv_mr* piece : regions_[i].pieces) {
      // No channel of ours uses a device that has failed, so that no source asks for its key.
      shape[i].keys.push_back(piece == nullptr ? 0 : piece->rkey);
    }
  }
  return EncodeMemory(
      RemoteMemory(static_cast<uint32_t>(rails_.size()), std::move(shape), windows_));
}

}  // namespace baton::transport::verbs
