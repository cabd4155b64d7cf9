// An engine's side of Baton: attach a rank's pools to the agent in its pod, then hand over rooms.
//
//   auto engine = EngineClient::Attach(options);                    // once, blocking
//   auto room = (*engine)->OpenReceive({.room = {42}, .prefill_server = "prefill-a", ...});
//   while (!IsTerminal((*engine)->Poll(*room))) DecodeSomethingElse();
//   (*engine)->Close(*room);
//
// After Attach nothing blocks: calls write the shared ring or read the completion table. Calls are
// thread-safe among each other; Poll takes no lock. If the agent restarts, the client re-attaches
// by itself; rooms that were open say AGENT_LOST and must be opened anew once released.
#ifndef BATON_CLIENT_ENGINE_ENGINE_CLIENT_H_
#define BATON_CLIENT_ENGINE_ENGINE_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/engine/peer.h"
#include "common/device_share.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton {

// One piece of pool memory. Host memory is a memfd with F_SEAL_SHRINK; GPU memory a dma-buf, or
// what its driver lends (CudaPool::Region), or both. Descriptors are borrowed for the life of the
// client (needed again at a re-attach).
struct PoolRegion {
  std::string name;
  int fd = -1;
  uint64_t size = 0;
  bool dma_buf = false;  // it is GPU memory
  DeviceShare gpu = {};
};

struct EngineOptions {
  std::string agent_socket;  // path of the agent's attach socket
  std::string server;
  std::string launch_id;  // equal on all ranks of one start
  Role role = Role::kPrefill;
  RankCoord coord;
  std::string model;
  planner::ServerSpec spec;
  planner::RankLayout layout;
  std::vector<PoolRegion> regions;
  std::map<std::string, std::string> labels;
  // Other names of the server, such as the host:port that a router knows; no other server may have
  // one of them. Give the same ones to all ranks, or to some.
  std::vector<std::string> aliases;
  uint32_t slots = 1024;          // rooms open at once
  uint32_t ring_bytes = 4 << 20;  // power of two; the largest command is a quarter of it
  uint32_t peers = 64;            // peer servers watched at once
  bool device_orders_writes = false;
  std::chrono::milliseconds attach_timeout{10000};
};

// Names an open room of this client. Never valid again after Close.
struct RoomHandle {
  uint32_t slot = 0;
  uint32_t generation = 0;
};

enum class RoomPhase : uint8_t {
  kOpen,       // waiting for the other side
  kOffered,    // source: prefix_tokens is known, Send will move bytes
  kDone,       // terminal: source pages are free, or everything has landed
  kFailed,     // terminal; Cause() says why
  kAgentLost,  // terminal: the agent died
  kClosed,     // the handle is not valid
};

struct RoomStatus {
  RoomPhase phase = RoomPhase::kClosed;
  // No write of the room can land and none of its pages is read: they may be reused. While false
  // after a failure the pages are quarantined.
  bool released = false;
  uint64_t prefix_tokens = 0;  // source, from kOffered on
  // An announced room whose sources have computed everything, and its total: time to Provide.
  bool source_complete = false;
  uint64_t source_tokens = 0;
};

inline bool IsTerminal(const RoomStatus& status) { return status.phase >= RoomPhase::kDone; }

struct SendRoom {
  RoomKey room;
  // Unset: the end of the last chunk, whose pages then are the only ones of groups with a window.
  std::optional<uint64_t> total_tokens = 0;
  std::chrono::milliseconds time_left{60000};
};

struct ReceiveRoom {
  RoomKey room;
  std::string prefill_server;                         // name or alias
  std::optional<uint32_t> prefill_dp = std::nullopt;  // unset: looked up by room
  planner::RoutePolicy policy = {};
  uint64_t total_tokens = 0;
  uint64_t prefix_tokens = 0;  // already in the pages' predecessors
  // pages[g] holds this rank's tokens of [prefix, total) of page group g, see planner::SidePages.
  std::vector<absl::Span<const int32_t>> pages = {};
  // One for each STATE tensor of the spec, or kNoRow where this room has none; both sides alike.
  std::vector<uint32_t> state_rows = {};
  uint32_t aux_row = 0;
  std::chrono::milliseconds time_left{60000};
};

// A room without pages yet: the sources learn that this rank waits, and it learns of their end.
struct AnnouncedRoom {
  RoomKey room;
  std::string prefill_server;  // name or alias
  std::optional<uint32_t> prefill_dp = std::nullopt;
  planner::RoutePolicy policy = {};
  std::chrono::milliseconds time_left{60000};
};

// What ReceiveRoom says of tokens and pages.
struct RoomPages {
  uint64_t total_tokens = 0;
  uint64_t prefix_tokens = 0;
  std::vector<absl::Span<const int32_t>> pages = {};
  std::vector<uint32_t> state_rows = {};
  uint32_t aux_row = 0;
};

// Tokens [token_begin, token_end) of layers [layer_begin, layer_end) are in the pages: call Send
// after the GPU's work on them is complete. Chunks come in order of tokens.
struct Chunk {
  uint64_t token_begin = 0;
  uint64_t token_end = 0;
  uint32_t layer_begin = 0;
  uint32_t layer_end = UINT32_MAX;
  bool is_last_chunk = false;  // STATE rows and the AUX row are complete too; may be empty
  std::vector<absl::Span<const int32_t>> pages = {};
  absl::Span<const uint32_t> state_rows = {};
  uint32_t aux_row = 0;
  // Bit g: the chunk has page group g. Each group's chunks come in order of tokens, by themselves;
  // lists of groups that are left out are empty.
  uint16_t page_groups = planner::kAllGroups;
};

using planner::kNoRow;

class EngineClient {
 public:
  // Blocks for at most attach_timeout. Errors name the rank and what to do.
  static absl::StatusOr<std::unique_ptr<EngineClient>> Attach(EngineOptions options);
  virtual ~EngineClient() = default;

  // FULL: the ring or the table has no room; poll and close others, then try again.
  virtual absl::StatusOr<RoomHandle> OpenSend(const SendRoom& room) = 0;
  virtual absl::StatusOr<RoomHandle> OpenReceive(const ReceiveRoom& room) = 0;
  // OpenReceive in two steps. Once the source has failed or is gone, the room fails at once.
  virtual absl::StatusOr<RoomHandle> Announce(const AnnouncedRoom& room) = 0;
  virtual absl::Status Provide(RoomHandle room, const RoomPages& pages) = 0;
  virtual absl::Status Send(RoomHandle room, const Chunk& chunk) = 0;
  virtual absl::Status Abort(RoomHandle room, const std::string& why) = 0;
  // <= 100 ns.
  virtual RoomStatus Poll(RoomHandle room) const = 0;
  // Cause of kFailed or kAgentLost: reason, rank and text (common/reason.h). OK otherwise.
  virtual absl::Status Cause(RoomHandle room) const = 0;
  // Bytes this rank moved for the room so far.
  virtual uint64_t BytesMoved(RoomHandle room) const = 0;
  // Aborts if not terminal, and gives the handle back.
  virtual void Close(RoomHandle room) = 0;

  // Asks the agent for a server by name or alias, and for its news from now on; the agent connects
  // to it meanwhile. Survives restarts of the agent. FULL: forget some first.
  virtual absl::StatusOr<PeerHandle> WatchPeer(const std::string& server) = 0;
  // What the agent says now; under a microsecond.
  virtual PeerStatus LookAtPeer(PeerHandle peer) const = 0;
  virtual void ForgetPeer(PeerHandle peer) = 0;

  // True while attached to a living agent.
  virtual bool attached() const = 0;
  // The agent's epoch of the current attachment.
  virtual Epoch agent_epoch() const = 0;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_ENGINE_CLIENT_H_
