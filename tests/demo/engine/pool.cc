#include "tests/demo/engine/pool.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/memfd.h"
#include "common/reason.h"

namespace baton::demo {

absl::StatusOr<std::unique_ptr<Pool>> Pool::Create(const Ownership& ownership, PoolLayout layout,
                                                   const std::string& name) {
  std::unique_ptr<Pool> pool(new Pool);
  pool->layout_ = std::move(layout.layout);
  for (size_t i = 0; i < layout.region_sizes.size(); ++i) {
    absl::Status added = pool->AddRegion(absl::StrCat(name, ".", i), layout.region_sizes[i]);
    if (!added.ok()) return added;
  }
  for (const planner::BufferLayout& buffer : pool->layout_.buffers) {
    pool->views_.emplace_back(ownership, buffer, pool->regions_[buffer.region].base);
  }
  return pool;
}

absl::Status Pool::AddRegion(const std::string& name, uint64_t size) {
  Region region;
  region.name = name;
  region.size = size;
  absl::StatusOr<UniqueFd> memfd = CreateSealedMemfd(name, size);
  if (!memfd.ok()) return memfd.status();
  region.fd = *std::move(memfd);
  // Faults now rather than in the first second of moving.
  constexpr int kFlags = MAP_SHARED | MAP_POPULATE;
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, kFlags, region.fd.get(), 0);
  if (base == MAP_FAILED) return SystemError(absl::StrCat("mmap of ", name), errno);
  region.base = static_cast<std::byte*>(base);
  regions_.push_back(std::move(region));
  return absl::OkStatus();
}

Pool::~Pool() {
  for (Region& region : regions_) munmap(region.base, region.size);
}

uint64_t Pool::bytes() const {
  uint64_t sum = 0;
  for (const Region& region : regions_) sum += region.size;
  return sum;
}

}  // namespace baton::demo
