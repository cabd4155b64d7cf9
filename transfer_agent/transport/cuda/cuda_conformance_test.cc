// The whole suite over the stand-in driver: the same code and the same walk as on a GPU. With
// BATON_CUDA_DRIVER=libcuda.so.1 over the GPUs of this machine; without the tests that fork then,
// because a driver that was used does not outlive a fork.
#include <stdlib.h>

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/factory.h"
#include "transfer_agent/transport/cuda/device_twin.h"
#include "transfer_agent/transport/cuda/factory.h"

namespace baton::transport {
namespace {

constexpr int kHost = -1;

std::string Driver() {
  const char* named = getenv("BATON_CUDA_DRIVER");
  return named != nullptr ? named : "transfer_agent/transport/cuda/libfake_driver.so";
}

Candidate Cuda(const std::string& name, int source, int target) {
  const auto move = [=](LocalRegion* region) -> std::unique_ptr<RegionTwin> {
    const int gpu = region->target ? target : source;
    return gpu == kHost ? nullptr : cuda::DeviceTwin::Move(Driver(), gpu, region);
  };
  return {.name = name,
          .create = [](bool) { return CreateCudaTransport({.driver = Driver()}); },
          .processes = getenv("BATON_CUDA_DRIVER") == nullptr,
          .pins_memory = true,
          .move = move,
          .done_without_target = false};
}

INSTANTIATE_TEST_SUITE_P(Cuda, TransportConformance,
                         testing::Values(Cuda("one_gpu", 0, 0), Cuda("two_gpus", 0, 1),
                                         Cuda("from_host", kHost, 0), Cuda("to_host", 1, kHost)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace baton::transport
