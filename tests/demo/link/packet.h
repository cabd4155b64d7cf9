// One protobuf message a packet, over a SEQPACKET socket pair between the router and an engine
// process. Sending is thread-safe: a packet is sent whole or not at all.
#ifndef BATON_TESTS_DEMO_LINK_PACKET_H_
#define BATON_TESTS_DEMO_LINK_PACKET_H_

#include <google/protobuf/message_lite.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace baton::demo {

inline constexpr size_t kPacketMax = 64 << 10;

// Two ends, both closed on exec. Sends on either give up after `send_timeout`.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakePacketPair(
    std::chrono::milliseconds send_timeout);

// DEADLINE when the other end does not read.
absl::Status SendPacket(int fd, const google::protobuf::MessageLite& message);

enum class Received { kMessage, kNothing, kClosed };

// Waits for a packet when `wait`, otherwise says kNothing when there is none.
absl::StatusOr<Received> ReceivePacket(int fd, bool wait, google::protobuf::MessageLite* message);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_LINK_PACKET_H_
