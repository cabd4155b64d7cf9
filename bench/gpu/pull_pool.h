// One side of the GPU benchmark: a pool of equal pages of a GPU (or of host memory), and the rooms
// that take its pages in a scattered order.
#ifndef BATON_BENCH_GPU_PULL_POOL_H_
#define BATON_BENCH_GPU_PULL_POOL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "planner/cursor.h"
#include "planner/plan.h"
#include "transfer_agent/transport/cuda/device_mapping.h"
#include "transfer_agent/transport/transport.h"

namespace baton::bench {

struct PullShape {
  uint32_t layers = 4;
  uint32_t page_bytes = 4096;
  uint32_t pages = 0;  // of each layer

  uint64_t layer_bytes() const { return uint64_t{pages} * page_bytes; }
  uint64_t bytes() const { return layers * layer_bytes(); }
};

planner::PairPlan PlanOf(const PullShape& shape);
// All pages of a layer in an order of the seed's.
std::vector<int32_t> Scattered(uint32_t pages, uint32_t seed);

class PullPool {
 public:
  // On GPU `ordinal`: a source's as PyTorch has it (cudaMalloc, an IPC handle), a target's behind a
  // descriptor, because no process opens an IPC handle of its own. In host memory where it is -1.
  PullPool(const transport::cuda::Driver* driver, int ordinal, const PullShape& shape, bool target);
  ~PullPool();
  PullPool(const PullPool&) = delete;
  PullPool& operator=(const PullPool&) = delete;

  const transport::LocalRegion& region() const { return region_; }
  const transport::cuda::Gpu* gpu() const { return gpu_.get(); }
  uint64_t address() const { return address_; }
  // Every page tells layer and number, in each of its words.
  void FillPattern();
  void FillZeros();
  // Pages whose words are not those of the source's page that was to land there.
  uint64_t CountWrong(const std::vector<int32_t>& source, const std::vector<int32_t>& target) const;

 private:
  void ShareByIpc();
  void ShareByDescriptor();
  void Upload(const std::vector<uint32_t>& words);
  std::vector<uint32_t> Download() const;

  const PullShape shape_;
  std::unique_ptr<transport::cuda::Gpu> gpu_;
  uint64_t address_ = 0;
  UniqueFd fd_;
  transport::cuda::DeviceMapping mapping_;
  std::byte* host_ = nullptr;
  transport::LocalRegion region_;
};

}  // namespace baton::bench

#endif  // BATON_BENCH_GPU_PULL_POOL_H_
