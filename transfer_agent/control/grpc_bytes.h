// Frames in gRPC's buffers, without a copy of the body.
#ifndef BATON_TRANSFER_AGENT_CONTROL_GRPC_BYTES_H_
#define BATON_TRANSFER_AGENT_CONTROL_GRPC_BYTES_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/control.pb.h"
#include "transfer_agent/control/frame_bytes.h"

namespace baton::control {

// The buffer shares the body.
grpc::ByteBuffer ToByteBuffer(Body body, const std::string& numbers);
// BAD_MESSAGE when the bytes are no frame. Empties the buffer.
absl::StatusOr<v1::Frame> ParseByteBuffer(grpc::ByteBuffer* buffer);
// How a stream ended. What the peer did not say itself is PEER_LOST, except for a message above the
// limit and a server that is no agent.
absl::Status FromStreamStatus(const grpc::Status& status);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_GRPC_BYTES_H_
