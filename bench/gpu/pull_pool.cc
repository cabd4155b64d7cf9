#include "bench/gpu/pull_pool.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "common/log.h"
#include "common/memfd.h"

namespace baton::bench {
namespace {

uint32_t WordOf(uint32_t layer, uint32_t page, uint32_t at) {
  return (layer * 2654435761u) ^ (page * 40503u + 17) ^ (at * 2246822519u);
}

planner::ServerSpec SpecOf(const PullShape& shape) {
  planner::ServerSpec spec;
  spec.sizes = {1, 1, 1, 1};
  std::vector<uint32_t> layers(shape.layers);
  std::iota(layers.begin(), layers.end(), 0);
  spec.stages = {layers};
  spec.page_groups = {{.page_tokens = 1}};
  planner::TensorSpec tensor;
  tensor.kind = planner::Kind::kLatent;
  tensor.name = "latent";
  tensor.layers = layers;
  tensor.dtype = "u8";
  tensor.head_bytes = shape.page_bytes;
  spec.tensors = {tensor};
  return spec;
}

planner::RankLayout LayoutOf(const PullShape& shape) {
  planner::RankLayout layout;
  for (uint32_t l = 0; l < shape.layers; ++l) {
    layout.buffers.push_back({.tensor = 0,
                              .layer = l,
                              .region = 0,
                              .offset = l * shape.layer_bytes(),
                              .pages = shape.pages,
                              .page_stride = shape.page_bytes,
                              .entry_stride = shape.page_bytes,
                              .head_stride = shape.page_bytes});
  }
  return layout;
}

}  // namespace

planner::PairPlan PlanOf(const PullShape& shape) {
  const RankCoord coord{0, 0, 0, 0};
  auto plan = planner::PlanPair(SpecOf(shape), coord, LayoutOf(shape), SpecOf(shape), coord,
                                LayoutOf(shape), planner::RoutePolicy{});
  CHECK(plan.ok()) << plan.status();
  return *std::move(plan);
}

std::vector<int32_t> Scattered(uint32_t pages, uint32_t seed) {
  std::vector<int32_t> list(pages);
  std::iota(list.begin(), list.end(), 0);
  std::shuffle(list.begin(), list.end(), std::mt19937(seed));
  return list;
}

PullPool::PullPool(const transport::cuda::Driver* driver, int ordinal, const PullShape& shape,
                   bool target)
    : shape_(shape) {
  region_.size = shape.bytes();
  region_.target = target;
  if (ordinal < 0) {
    auto fd = CreateSealedMemfd("bench", region_.size);
    CHECK(fd.ok()) << fd.status();
    auto mapping = MapShared(fd->get(), region_.size, Access::kReadWrite);
    CHECK(mapping.ok()) << mapping.status();
    fd_ = *std::move(fd);
    host_ = region_.base = mapping->Release();
    region_.fd = fd_.get();
    return;
  }
  auto gpu = transport::cuda::Gpu::Open(driver, ordinal);
  CHECK(gpu.ok()) << gpu.status();
  gpu_ = *std::move(gpu);
  transport::cuda::Uuid uuid;
  transport::cuda::Device device = 0;
  CHECK_EQ(driver->device_get(&device, ordinal), 0);
  CHECK_EQ(driver->device_uuid(&uuid, device), 0);
  region_.dma_buf = true;
  memcpy(region_.share.device.data(), uuid.bytes, sizeof(uuid.bytes));
  if (target) {
    ShareByDescriptor();
  } else {
    ShareByIpc();
  }
}

void PullPool::ShareByIpc() {
  const transport::cuda::Driver& d = gpu_->driver();
  transport::cuda::IpcHandle handle;
  CHECK_EQ(d.alloc(&address_, region_.size), 0);
  CHECK_EQ(d.ipc_get(&handle, address_), 0);
  region_.share.kind = DeviceShare::Kind::kIpc;
  region_.share.allocation_bytes = region_.size;
  memcpy(region_.share.ipc.data(), handle.bytes, sizeof(handle.bytes));
}

void PullPool::ShareByDescriptor() {
  const transport::cuda::Driver& d = gpu_->driver();
  transport::cuda::AllocationRule rule;
  rule.location.id = gpu_->ordinal();
  transport::cuda::Allocation allocation = 0;
  constexpr uint64_t kUnit = 2 << 20;
  const uint64_t bytes = (region_.size + kUnit - 1) / kUnit * kUnit;
  CHECK_EQ(d.create(&allocation, bytes, &rule, 0), 0);
  CHECK_EQ(d.export_descriptor(&region_.share.fd, allocation, transport::cuda::kPosixDescriptor, 0),
           0);
  CHECK_EQ(d.release(allocation), 0);
  fd_.Reset(region_.share.fd);
  region_.share.kind = DeviceShare::Kind::kVmm;
  region_.share.allocation_bytes = bytes;
  auto mapping = transport::cuda::DeviceMapping::OfShare(gpu_.get(), region_.share, region_.size,
                                                         transport::cuda::GpuAccess::kReadWrite);
  CHECK(mapping.ok()) << mapping.status();
  mapping_ = *std::move(mapping);
  address_ = mapping_.address();
}

PullPool::~PullPool() {
  if (host_ != nullptr) munmap(host_, region_.size);
  if (gpu_ == nullptr) return;
  CHECK(gpu_->MakeCurrent().ok());
  if (region_.share.kind == DeviceShare::Kind::kIpc) gpu_->driver().free(address_);
}

void PullPool::Upload(const std::vector<uint32_t>& words) {
  if (gpu_ == nullptr) {
    memcpy(host_, words.data(), region_.size);
    return;
  }
  CHECK(gpu_->MakeCurrent().ok());
  CHECK_EQ(gpu_->driver().copy_in(address_, words.data(), region_.size, gpu_->stream()), 0);
  CHECK_EQ(gpu_->driver().stream_synchronize(gpu_->stream()), 0);
}

std::vector<uint32_t> PullPool::Download() const {
  std::vector<uint32_t> words(region_.size / sizeof(uint32_t));
  if (gpu_ == nullptr) {
    memcpy(words.data(), host_, region_.size);
    return words;
  }
  CHECK(gpu_->MakeCurrent().ok());
  CHECK_EQ(gpu_->driver().copy_out(words.data(), address_, region_.size, gpu_->stream()), 0);
  CHECK_EQ(gpu_->driver().stream_synchronize(gpu_->stream()), 0);
  return words;
}

void PullPool::FillPattern() {
  std::vector<uint32_t> words;
  words.reserve(region_.size / sizeof(uint32_t));
  for (uint32_t l = 0; l < shape_.layers; ++l) {
    for (uint32_t p = 0; p < shape_.pages; ++p) {
      for (uint32_t i = 0; i < shape_.page_bytes / 4; ++i) words.push_back(WordOf(l, p, i));
    }
  }
  Upload(words);
}

void PullPool::FillZeros() { Upload(std::vector<uint32_t>(region_.size / sizeof(uint32_t))); }

uint64_t PullPool::CountWrong(const std::vector<int32_t>& source,
                              const std::vector<int32_t>& target) const {
  const std::vector<uint32_t> words = Download();
  const uint32_t page_words = shape_.page_bytes / 4;
  uint64_t wrong = 0;
  for (uint32_t l = 0; l < shape_.layers; ++l) {
    for (size_t n = 0; n < source.size(); ++n) {
      const size_t at = (uint64_t{l} * shape_.pages + target[n]) * page_words;
      bool right = true;
      for (uint32_t i = 0; i < page_words; ++i) {
        right &= words[at + i] == WordOf(l, source[n], i);
      }
      wrong += right ? 0 : 1;
    }
  }
  return wrong;
}

}  // namespace baton::bench
