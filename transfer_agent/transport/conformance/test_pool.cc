#include "transfer_agent/transport/conformance/test_pool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/log.h"

namespace baton::transport {
namespace {

uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

bool IsCanary(const std::byte* begin, size_t size) {
  return std::all_of(begin, begin + size, [](std::byte b) { return b == TestPool::kCanary; });
}

}  // namespace

TestPool::TestPool(const PoolShape& shape)
    : shape_(shape),
      size_(shape.base_offset +
            (shape.layers + shape.regions - 1) / shape.regions * layer_bytes()) {
  for (uint32_t r = 0; r < shape_.regions; ++r) {
    UniqueFd fd(memfd_create("baton-test-pool", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    CHECK(fd) << "memfd_create";
    CHECK_EQ(ftruncate(fd.get(), static_cast<off_t>(size_)), 0);
    CHECK_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    void* base = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    CHECK(base != MAP_FAILED) << "mmap of " << size_;
    if (shape_.filled_below) FillBelow(static_cast<std::byte*>(base));
    fds_.push_back(std::move(fd));
    bases_.push_back(static_cast<std::byte*>(base));
  }
}

void TestPool::FillBelow(std::byte* base) {
  CHECK_EQ(shape_.base_offset % kFillerBytes, 0u);
  UniqueFd filler(memfd_create("baton-test-filler", MFD_CLOEXEC));
  CHECK(filler) << "memfd_create";
  CHECK_EQ(ftruncate(filler.get(), kFillerBytes), 0);
  for (uint64_t at = 0; at < shape_.base_offset; at += kFillerBytes) {
    void* mapped = mmap(base + at, kFillerBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                        filler.get(), 0);
    CHECK(mapped == base + at) << "mmap of " << kFillerBytes << " at " << at;
  }
  std::memset(base, static_cast<int>(kCanary), kFillerBytes);
}

TestPool::~TestPool() {
  for (std::byte* base : bases_) munmap(base, size_);
}

planner::ServerSpec TestPool::Spec() const {
  planner::ServerSpec spec;
  spec.sizes = {1, 1, 1, 1};
  std::vector<uint32_t> layers(shape_.layers);
  for (uint32_t l = 0; l < shape_.layers; ++l) layers[l] = l;
  spec.stages = {layers};
  spec.page_groups = {{.page_tokens = shape_.page_tokens}};
  planner::TensorSpec tensor;
  tensor.kind = planner::Kind::kLatent;
  tensor.name = "latent";
  tensor.layers = layers;
  tensor.dtype = "u8";
  tensor.head_bytes = shape_.token_bytes;
  spec.tensors = {tensor};
  return spec;
}

planner::RankLayout TestPool::Layout() const {
  planner::RankLayout layout;
  for (uint32_t l = 0; l < shape_.layers; ++l) {
    layout.buffers.push_back({.tensor = 0,
                              .layer = l,
                              .region = l % shape_.regions,
                              .offset = LayerOffset(l),
                              .pages = shape_.pages,
                              .page_stride = page_stride(),
                              .entry_stride = shape_.token_bytes,
                              .head_stride = shape_.token_bytes});
  }
  return layout;
}

std::vector<LocalRegion> TestPool::regions() const {
  std::vector<LocalRegion> all;
  for (size_t r = 0; r < fds_.size(); ++r) {
    all.push_back({.fd = fds_[r].get(), .base = bases_[r], .size = size_});
  }
  return all;
}

std::byte* TestPool::Page(uint32_t layer, int32_t page) const {
  return bases_[layer % shape_.regions] + LayerOffset(layer) + page * page_stride();
}

void TestPool::Push() const {
  const uint64_t from = shape_.base_offset;
  for (size_t r = 0; r < twins_.size(); ++r) {
    if (twins_[r] != nullptr) twins_[r]->Push(bases_[r] + from, from, size_ - from);
  }
}

void TestPool::Fetch() const {
  const uint64_t from = shape_.base_offset;
  for (size_t r = 0; r < twins_.size(); ++r) {
    if (twins_[r] != nullptr) twins_[r]->Fetch(bases_[r] + from, from, size_ - from);
  }
}

void TestPool::FillPattern(uint64_t seed) {
  for (uint32_t l = 0; l < shape_.layers; ++l) {
    for (uint32_t p = 0; p < shape_.pages; ++p) {
      uint64_t key = Mix(seed ^ (uint64_t{l} << 40) ^ p);
      std::byte* page = Page(l, static_cast<int32_t>(p));
      for (size_t i = 0; i < page_bytes(); i += 8) {
        const uint64_t word = key++ * 0x9e3779b97f4a7c15;
        std::memcpy(page + i, &word, std::min<size_t>(8, page_bytes() - i));
      }
    }
  }
  Push();
}

void TestPool::FillCanary() {
  for (std::byte* base : bases_) {
    std::memset(base + shape_.base_offset, static_cast<int>(kCanary), size_ - shape_.base_offset);
  }
  Push();
}

void TestPool::TakeAway(uint32_t layer, int32_t page) {
  const auto system_page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  CHECK_GE(page_bytes(), 2 * system_page);
  const auto middle = reinterpret_cast<uint64_t>(Page(layer, page) + page_bytes() / 2);
  UniqueFd nothing(memfd_create("baton-test-nothing", MFD_CLOEXEC));
  CHECK(nothing) << "memfd_create";
  void* at = reinterpret_cast<void*>(middle / system_page * system_page);
  CHECK_EQ(mmap(at, system_page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, nothing.get(), 0),
           at);
}

int64_t TestPool::FirstTouched(const std::vector<int32_t>& written) const {
  Fetch();
  std::vector<bool> named(shape_.pages);
  for (int32_t page : written) named[page] = true;
  for (uint32_t l = 0; l < shape_.layers; ++l) {
    for (uint32_t p = 0; p < shape_.pages; ++p) {
      const std::byte* page = Page(l, static_cast<int32_t>(p));
      if (!named[p] && !IsCanary(page, page_bytes())) return p;
      if (!IsCanary(page + page_bytes(), shape_.gap_bytes)) return p;
    }
  }
  return -1;
}

bool TestPool::FillerIsUntouched() const {
  return std::all_of(bases_.begin(), bases_.end(),
                     [](const std::byte* base) { return IsCanary(base, kFillerBytes); });
}

}  // namespace baton::transport
