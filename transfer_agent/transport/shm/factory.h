// The shm transport: both agents on one host, pools in memfd.
//
// The source lends read-only descriptors of its regions; the target's worker copies from its own
// mapping of them into the target's pages, once. A target pool is never mapped by a peer, so a
// fence is local here too. docs/design/tcp-and-shm.md has the wire format and the reasons.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_FACTORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_FACTORY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

struct ShmOptions {
  // Folder for the listening socket, shared with the peers; empty: the abstract namespace, which
  // reaches the agents of the same network namespace.
  std::string socket_folder = {};
  bool checksums = false;
  Duration handshake_timeout = std::chrono::seconds(10);
};

// CONFIG names the folder that cannot be used.
absl::StatusOr<std::unique_ptr<Transport>> CreateShmTransport(const ShmOptions& options);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_FACTORY_H_
