// The GPUs that this process sees, for who wants to know what is there: no context is made.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_LISTING_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_LISTING_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace baton::transport::cuda {

struct Driver;

struct GpuListing {
  struct Row {
    int ordinal = 0;
    std::string uuid;  // as nvidia-smi prints it
    std::string name;
    bool exclusive = false;    // one process at a time may use it, or none
    bool descriptors = false;  // lends what cuMemCreate made
  };
  std::string driver;  // "13.0"
  std::vector<Row> gpus;
  // Ordinals of those of which one cannot read the other's memory.
  std::vector<std::pair<int, int>> apart;
};

// NO_TRANSPORT: the driver shows none.
absl::StatusOr<GpuListing> ListGpus(const Driver& driver);

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_GPU_LISTING_H_
