// The cuda transport: both agents on one host, one pool or both in the memory of its GPUs.
//
// The source lends its memory as its driver lends it; the target's agent has a kernel on its own
// GPU pull the pages, which walks the plan by itself. A target's pool is never mapped by a peer, so
// a fence is local, as on shm. docs/design/cuda.md has the reasons and the figures.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_FACTORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_FACTORY_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct CudaOptions {
  // As for shm: where the agents of a host find one another.
  std::string socket_folder = {};
  // Multiprocessors that a launch may take from the engine's own kernels.
  uint32_t blocks = 16;
  Duration handshake_timeout = std::chrono::seconds(10);
  std::string driver = "libcuda.so.1";
};

// NO_TRANSPORT says what this process lacks: driver, a new enough one, a GPU. `summary`, if not
// null, gets what was found.
absl::StatusOr<std::unique_ptr<Transport>> CreateCudaTransport(const CudaOptions& options,
                                                               std::string* summary = nullptr);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_FACTORY_H_
