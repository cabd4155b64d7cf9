// The tcp transport: for laptops, CI and clusters without RDMA; the embedded default.
//
// The target's worker reads each connection into the target's pages and checks every frame against
// the window of that source, so a fence is local. No byte is copied in user space.
// docs/design/tcp-and-shm.md has the wire format and the reasons.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TCP_FACTORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TCP_FACTORY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct TcpOptions {
  // Numeric address that peers' connections are accepted on; the port is the system's choice.
  std::string bind_host = "127.0.0.1";
  // What peers dial, numeric; empty: bind_host.
  std::string advertised_host = {};
  // Frames carry a CRC32C when either side asks for it.
  bool checksums = false;
  // From Open or Accept to OnChannelUp.
  Duration handshake_timeout = std::chrono::seconds(10);
  // A peer host that acknowledges nothing, or a receiver that takes nothing, for this long.
  Duration peer_timeout = std::chrono::seconds(20);
};

// CONFIG names the address that cannot be bound.
absl::StatusOr<std::unique_ptr<Transport>> CreateTcpTransport(const TcpOptions& options);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TCP_FACTORY_H_
