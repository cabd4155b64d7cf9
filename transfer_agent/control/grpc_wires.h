// Wires over gRPC: the AgentPeer service, and channels of their own for each dialled stream so that
// bulk cannot delay urgent.
#ifndef BATON_TRANSFER_AGENT_CONTROL_GRPC_WIRES_H_
#define BATON_TRANSFER_AGENT_CONTROL_GRPC_WIRES_H_

#include <memory>

#include "transfer_agent/control/wire.h"

namespace baton::control {

// Longer frames break their stream at the receiver with TOO_LARGE.
std::unique_ptr<Wires> MakeGrpcWires(size_t frame_bytes_max);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_GRPC_WIRES_H_
