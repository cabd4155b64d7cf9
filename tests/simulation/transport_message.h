// What travels over a simulated data connection.
#ifndef BATON_TESTS_SIMULATION_TRANSPORT_MESSAGE_H_
#define BATON_TESTS_SIMULATION_TRANSPORT_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "planner/cursor.h"
#include "tests/simulation/sim_transport.h"

namespace baton::sim {

struct SimTransport::Message {
  enum class Kind : uint8_t { kGreeting, kSegment, kAck };

  Kind kind = Kind::kSegment;
  uint64_t channel = 0;  // of the target, in a greeting
  size_t link = 0;       // of the channel
  OfferId offer;
  uint32_t part = 0;
  bool close_part = false;
  uint8_t attempt = 0;
  planner::RoomTokens tokens;
  planner::ChunkRange chunk;
  uint64_t length = 0;
  std::vector<std::byte> bytes;  // kCopied, kWritten
  uint32_t crc = 0;
  // kWritten: where they go in which memory of the target. Nothing of the source's room: it may be
  // over when they land.
  MemoryId remote;
  std::vector<planner::CopyRun> runs;
  // kLent: where they are to be read, for as long as nobody took them back.
  std::shared_ptr<Pool> pool;
  planner::Cursor cursor;
  bool cancelled = false;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_TRANSPORT_MESSAGE_H_
