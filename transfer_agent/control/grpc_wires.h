// Wires over gRPC: the AgentPeer service, and channels of their own for each dialled stream so that
// bulk cannot delay urgent.
#ifndef BATON_TRANSFER_AGENT_CONTROL_GRPC_WIRES_H_
#define BATON_TRANSFER_AGENT_CONTROL_GRPC_WIRES_H_

#include <functional>
#include <memory>
#include <string>

#include "common/ids.h"
#include "transfer_agent/control/wire.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace baton::control {

using OnAbortLeg = std::function<void(const RoomKey& room, const std::string& why)>;

// Longer frames break their stream at the receiver with TOO_LARGE.
// `abort_leg` is as in PeerLinksOptions. `beside`: served on the same port; borrowed until
// Shutdown, may be null.
std::unique_ptr<Wires> MakeGrpcWires(size_t frame_bytes_max, OnAbortLeg abort_leg,
                                     grpc::Service* beside = nullptr);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_GRPC_WIRES_H_
