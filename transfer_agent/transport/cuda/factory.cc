#include "transfer_agent/transport/cuda/factory.h"

#include <utility>

#include "transfer_agent/transport/cuda/channel_setup.h"
#include "transfer_agent/transport/stream/stream_transport.h"

namespace baton::transport {

absl::StatusOr<std::unique_ptr<Transport>> CreateCudaTransport(const CudaOptions& options,
                                                               std::string* summary) {
  absl::StatusOr<const cuda::Driver*> driver = cuda::LoadDriver(options.driver);
  if (!driver.ok()) return driver.status();
  absl::StatusOr<cuda::GpuTable> gpus = cuda::GpuTable::Create(*driver);
  if (!gpus.ok()) return gpus.status();
  if (summary != nullptr) *summary = gpus->Summary();
  return StreamTransport::Create(std::make_unique<cuda::CudaPath>(options, *std::move(gpus)),
                                 {.handshake_timeout = options.handshake_timeout});
}

}  // namespace baton::transport
