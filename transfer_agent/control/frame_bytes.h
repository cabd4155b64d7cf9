// Frames as bytes. A body is serialised once, outside of any lock, and shared by the queue and
// every transmission; number and acknowledgement follow it as a few bytes of their own (the fields
// of a message may stand in any order), so that a replay copies nothing.
#ifndef BATON_TRANSFER_AGENT_CONTROL_FRAME_BYTES_H_
#define BATON_TRANSFER_AGENT_CONTROL_FRAME_BYTES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "baton/v1/control.pb.h"

namespace baton::control {

// Immutable; shared by the session's queue and by writes in flight, which may outlive it.
using Body = std::shared_ptr<const std::string>;

// `seq` and `ack` of the frame are left out.
Body EncodeBody(v1::Frame frame);
// What follows the body on the wire.
std::string EncodeNumbers(uint64_t seq, uint64_t ack);
// The body of every heartbeat.
const Body& HeartbeatBody();

// Longest result of EncodeNumbers.
inline constexpr size_t kNumberBytesMax = 22;

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_FRAME_BYTES_H_
