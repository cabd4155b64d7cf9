// Regions on their way into a GPU's address space, on a thread of their own: opening a peer's
// memory takes milliseconds, pinning host memory as much as a second for a few gigabytes, and a
// worker has other rooms to serve meanwhile.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MAPPING_JOB_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MAPPING_JOB_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/memfd.h"
#include "transfer_agent/transport/cuda/device_mapping.h"

namespace baton::transport::cuda {

// Regions of one memory as one GPU sees them.
struct MappedRegions {
  std::vector<Mapping> host;
  std::vector<DeviceMapping> mappings;
  std::vector<uint64_t> at;
  std::vector<uint64_t> sizes;

  void Add(DeviceMapping mapping) {
    at.push_back(mapping.address());
    sizes.push_back(mapping.size());
    mappings.push_back(std::move(mapping));
  }
};
using SharedRegions = std::shared_ptr<const MappedRegions>;

// Its end waits for the thread. Move-only.
class MappingJob {
 public:
  using Work = std::function<absl::StatusOr<SharedRegions>()>;

  // The regions once they are there, null until then. The first call begins; one after a failure,
  // which this tells once, begins anew. `make_work` makes the Work, which runs on another thread.
  template <typename MakeWork>
  absl::StatusOr<SharedRegions> Get(const MakeWork& make_work) {
    if (regions_ != nullptr) return regions_;
    if (!job_.valid()) job_ = std::async(std::launch::async, Work(make_work()));
    if (job_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return regions_;
    absl::StatusOr<SharedRegions> made = job_.get();
    if (made.ok()) regions_ = *made;
    return made;
  }

 private:
  SharedRegions regions_;
  std::future<absl::StatusOr<SharedRegions>> job_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_MAPPING_JOB_H_
