#include "transfer_agent/transport/tcp/factory.h"

#include <utility>

#include "transfer_agent/transport/stream/stream_transport.h"
#include "transfer_agent/transport/tcp/channel_setup.h"

namespace baton::transport {

absl::StatusOr<std::unique_ptr<Transport>> CreateTcpTransport(const TcpOptions& options) {
  return StreamTransport::Create(
      std::make_unique<tcp::TcpPath>(options),
      {.checksums = options.checksums, .handshake_timeout = options.handshake_timeout});
}

}  // namespace baton::transport
