// One packet of a channel on one host: a frame, and behind it runs, page lists (cuda) or what is
// said of regions, with descriptors. Nothing here blocks or allocates, but for the descriptors of a
// kMemory frame.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_MESSAGE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_MESSAGE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/frame.h"

namespace baton::transport::shm {

// What came in. `body` points into the message.
struct Message {
  static constexpr size_t kBytesMax =
      kFrameBytes +
      std::max(kRunsPerFrameMax * sizeof(RunRecord), kPageWordsPerFrameMax * sizeof(uint32_t));
  Frame frame;
  size_t body_bytes = 0;
  std::vector<UniqueFd> fds;
  alignas(8) std::byte bytes[kBytesMax];

  const std::byte* body() const { return bytes + kFrameBytes; }
};

enum class Received : uint8_t { kMessage, kNothing };

// An error ends the channel: PEER_LOST at the end of the stream, BAD_MESSAGE for what is no frame.
absl::StatusOr<Received> Receive(int fd, Message* message);

// False: the socket is full.
absl::StatusOr<bool> Send(int fd, const Frame& frame, absl::Span<const std::byte> body,
                          absl::Span<const int> fds);

}  // namespace baton::transport::shm

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_MESSAGE_H_
