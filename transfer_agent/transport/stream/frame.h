// The fixed header of everything that tcp and shm channels carry. Little endian, no addresses: the
// receiver finds the bytes' place with its own cursor over its own window.
//
// A connection begins with one Hello from the source, answered by one kWelcome frame. Then:
//   kData    source  `length` bytes at `offset` of one chunk follow (tcp)
//   kRuns    source  `count` RunRecords follow: where those bytes lie in memory `memory` (shm)
//   kPart    source  the part is complete; `offset` says how many bytes it had
//   kCancel  source  nothing more for this offer; bytes sent for it mean nothing
//   kMemory  source  `count` region sizes follow, with as many descriptors (shm)
//   kForget  source  memory `memory` is no more (shm)
//   kAck     target  the runs of batch `serial` have been read (shm), the pages of chunk `serial`
//                    are not read any more (cuda)
//   kPages   source  `count` words of a chunk's page lists, from word `offset` on (cuda)
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_FRAME_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_FRAME_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "planner/layout.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kFrameBytes = 96;
inline constexpr size_t kTokenBytes = 32;
// Bytes of a chunk that one frame carries (kData), or describes (kRuns).
inline constexpr uint32_t kFrameLengthMax = 1 << 20;
inline constexpr uint32_t kBatchLengthMax = 4 << 20;
inline constexpr uint32_t kRunsPerFrameMax = 512;
inline constexpr uint32_t kRegionsPerMemoryMax = 64;
inline constexpr uint32_t kPageWordsPerFrameMax = 12 << 10;

enum class FrameType : uint8_t {
  kWelcome = 1,
  kData = 2,
  kRuns = 3,
  kPart = 4,
  kCancel = 5,
  kMemory = 6,
  kForget = 7,
  kAck = 8,
  kPages = 9,
};

struct Frame {
  FrameType type = FrameType::kWelcome;
  bool has_crc = false;
  OfferId offer;
  uint8_t part = 0;
  uint8_t attempt = 0;
  planner::RoomTokens tokens;
  planner::ChunkRange chunk;
  uint64_t offset = 0;
  uint32_t length = 0;
  uint32_t count = 0;
  uint32_t memory = 0;
  // Of the header with this field 0, then the payload.
  uint32_t crc = 0;
  uint64_t serial = 0;

  bool operator==(const Frame&) const = default;
};

using FrameBuffer = std::array<std::byte, kFrameBytes>;
using Token = std::array<std::byte, kTokenBytes>;

void EncodeFrame(const Frame& frame, FrameBuffer* out);

// BAD_MESSAGE names the field: after it, the stream cannot be understood any more. What is accepted
// here is well formed; whether it fits a window is for the landing to say.
absl::StatusOr<Frame> ParseFrame(const FrameBuffer& bytes);

// Of the header alone; goes on over the payload.
uint32_t HeaderCrc(const Frame& frame);

void EncodeHello(const Token& token, FrameBuffer* out);
absl::StatusOr<Token> ParseHello(const FrameBuffer& bytes);

// One contiguous piece of a source's memory.
struct RunRecord {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint32_t region = 0;
  uint32_t zero = 0;
};
static_assert(sizeof(RunRecord) == 24);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_FRAME_H_
