// A test's region in the memory of a GPU, or of the stand-in's.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DEVICE_TWIN_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DEVICE_TWIN_H_

#include <memory>
#include <string>

#include "common/unique_fd.h"
#include "transfer_agent/transport/conformance/region_twin.h"
#include "transfer_agent/transport/cuda/device_mapping.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport::cuda {

class DeviceTwin final : public RegionTwin {
 public:
  // Allocates on GPU `ordinal`, the last one if there are fewer, and makes `region` name that.
  static std::unique_ptr<DeviceTwin> Move(const std::string& driver, int ordinal,
                                          LocalRegion* region);

  void Push(const std::byte* from, uint64_t offset, uint64_t size) override;
  void Fetch(std::byte* to, uint64_t offset, uint64_t size) override;
  uint64_t address() const { return mapping_.address(); }

 private:
  const Gpu* gpu_ = nullptr;
  UniqueFd fd_;
  DeviceMapping mapping_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_DEVICE_TWIN_H_
