#include "transfer_agent/transport/shm/factory.h"

#include <utility>

#include "transfer_agent/transport/shm/channel_setup.h"
#include "transfer_agent/transport/stream/stream_transport.h"

namespace baton::transport {

absl::StatusOr<std::unique_ptr<Transport>> CreateShmTransport(const ShmOptions& options) {
  return StreamTransport::Create(
      std::make_unique<shm::ShmPath>(options),
      {.checksums = options.checksums, .handshake_timeout = options.handshake_timeout});
}

}  // namespace baton::transport
