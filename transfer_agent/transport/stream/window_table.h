// The open windows of one worker and how far each of their parts has come. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_WINDOW_TABLE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_WINDOW_TABLE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "planner/cursor.h"
#include "transfer_agent/transport/chunk_order.h"
#include "transfer_agent/transport/stream/memory_table.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// What came over one channel for one window.
struct PartProgress {
  ChannelId channel;
  uint8_t attempt = 0;
  bool closed = false;
  // Grows when a new attempt replaces the old: a landing of the old one must stop.
  uint32_t restarts = 0;
  uint64_t bytes = 0;
  // The chunk that is coming in: bytes of it announced by frames, and where the rest goes.
  planner::ChunkRange chunk;
  uint64_t chunk_bytes = 0;
  planner::Cursor cursor;
  planner::CopyRun rest;  // length 0: none
  ChunkOrder order;       // of the chunks that had bytes

  bool chunk_complete() const { return chunk_bytes == cursor.bytes_total(); }
};

struct OpenedWindow {
  Window window;
  const Memory* memory = nullptr;
  // No source may land more than its share of the room.
  uint64_t bytes_max = 0;
  uint64_t bytes = 0;
  bool broken = false;
  // By part. Few; addresses stay.
  std::vector<std::pair<uint32_t, std::unique_ptr<PartProgress>>> parts;

  // Made when it is not there.
  PartProgress* Part(uint32_t part);
};

class WindowTable {
 public:
  // Addresses stay until Close. ALREADY_EXISTS: the offer is open.
  absl::Status Open(Window window, const MemoryTable& memories);
  // Null when not open.
  OpenedWindow* Find(PeerId peer, OfferId offer);
  // Closes it; the window lives on with the caller. Null when not open.
  std::unique_ptr<OpenedWindow> Take(PeerId peer, OfferId offer);
  std::vector<OfferId> OffersOf(PeerId peer) const;

 private:
  absl::flat_hash_map<std::pair<PeerId, OfferId>, std::unique_ptr<OpenedWindow>> windows_;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_WINDOW_TABLE_H_
