// Moves bytes from the pools of hosted source ranks to the pools of target ranks elsewhere.
//
// One instance serves one worker, in one direction or both, over one kind of path: verbs, tcp, shm.
// The source pushes: it submits segments (one chunk of one offer, as a cursor over the pair's plan)
// to a channel; the last segment on a channel closes that channel's part. The target opens a window
// for each offer it makes and learns of parts as they become complete in its memory.
//
//   source                                  target
//   Open(peer) ............ data .........> Accept(peer, data)
//   Complete(channel, data) <.... data .... (reply)
//   OnChannelUp                             OnChannelUp
//                           <.... offer ... OpenWindow(window)
//   Submit(segment)... Submit(close_part)   OnPart(channel, offer, part, bytes)
//   OnSegmentDone x n                       Fence(peer, offer) -> OnFenced
//
// The data that opens a channel travels in protobuf over the agents' stream. Windows, parts and
// offers are named so that queue pairs and immediates fit: {slot, generation, part} is one.
//
// Threads: every method, and every event, on the worker's thread. Events fire only inside Poll,
// never inside the call that caused them. Nothing blocks.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TRANSPORT_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "common/device_share.h"
#include "common/ids.h"
#include "planner/cursor.h"
#include "planner/plan.h"

namespace baton::transport {

// One start of one peer agent, numbered by this agent. Never used again for another.
using PeerId = StrongId<struct PeerIdTag, uint64_t>;
// A channel of this transport instance. Never used again for another.
using ChannelId = StrongId<struct ChannelIdTag, uint64_t>;
// Regions of one hosted rank, as exported.
using MemoryId = StrongId<struct MemoryIdTag, uint32_t>;
// Memory of a rank elsewhere, as imported.
using RemoteMemoryId = StrongId<struct RemoteMemoryIdTag, uint32_t>;

inline constexpr uint32_t kPartsMax = 64;           // 6 bits of an immediate
inline constexpr uint32_t kGenerationMask = 0x3ff;  // 10 bits
// Segments accepted on one channel and not done yet.
inline constexpr uint32_t kSegmentsPerChannelMax = 256;
// Of a part: the path does not tell the target how much came (verbs). The source's word counts.
inline constexpr uint64_t kBytesUnknown = UINT64_MAX;

// Names (room, source rank, target rank) between the target's worker and one source agent.
struct OfferId {
  uint16_t slot = 0;
  uint16_t generation = 0;  // & kGenerationMask

  constexpr auto operator<=>(const OfferId&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, OfferId o) {
    return H::combine(std::move(h), o.slot, o.generation);
  }
};

struct Capabilities {
  absl::string_view name;  // "tcp"
  // Bytes reach a target's pages by the target's own worker, which checks them against the window:
  // Fence is complete at once. False: the source writes by itself, and a fence needs its answer
  // (FenceDrained), or ends the channel.
  bool local_fence = false;
  bool gpu_memory = false;
  // Between agents of one host alone.
  bool same_host = false;
  bool checksums = false;
  // What a channel had under way when it failed may land still: until Retire has ended the target's
  // end. Its rooms may go on over another channel then (segment_end.h).
  bool retires = false;
};

// One region of a hosted rank. `base` maps it (read-write, or read-only for sources); null for a
// dma-buf. Borrowed until ForgetMemory.
struct LocalRegion {
  int fd = -1;
  std::byte* base = nullptr;
  uint64_t size = 0;
  bool dma_buf = false;
  // False for sources: no peer gets access to it.
  bool target = true;
  // Of a dma-buf: its device shows writes in the order in which they came, so that a part needs no
  // flush before it is told of.
  bool ordered_writes = false;
  // Of GPU memory (`dma_buf`, and fd may be -1 then): how this host's processes map it.
  DeviceShare share = {};
};

struct ExportedMemory {
  MemoryId id;
  // What a peer's ImportMemory needs (remote keys); may be empty.
  std::string key;
};

struct OpenedChannel {
  ChannelId id;
  std::string data;
};

// Target side: what one source may write for one room.
struct Window {
  PeerId peer;
  OfferId offer;
  MemoryId memory;
  const planner::PairPlan* plan = nullptr;  // borrowed until OnFenced
  planner::RoomTokens tokens;
  planner::SidePages pages;  // spans borrowed until OnFenced
  bool checksums = false;
};

// Source side: one chunk of one offer.
struct Segment {
  OfferId offer;
  MemoryId memory;
  RemoteMemoryId remote;
  uint32_t part = 0;
  planner::RoomTokens tokens;
  planner::ChunkRange chunk;
  // Over both sides' pages, which stay alive until OnSegmentDone. May be done() from the start:
  // a zero-length segment that only closes its part.
  planner::Cursor cursor;
  bool close_part = false;
  uint64_t cookie = 0;
  // Of the part. A larger one replaces what came before, and starts with the part's first byte.
  uint8_t attempt = 0;
};

enum class Submitted : uint8_t { kAccepted, kFull, kNoChannel };

class Events {
 public:
  virtual ~Events() = default;
  virtual void OnChannelUp(ChannelId channel) = 0;
  // Last event of the channel, once; also when Complete or the connection behind it failed. Not
  // after Close.
  virtual void OnChannelDown(ChannelId channel, const absl::Status& cause) = 0;
  // Once for each accepted segment: the source's pages are not read any more. OK means handed to
  // the path, not that it landed.
  virtual void OnSegmentDone(uint64_t cookie, const absl::Status& status) = 0;
  // Every byte of the part is in the target's memory. At most once for each part. `bytes` may be
  // kBytesUnknown.
  virtual void OnPart(ChannelId channel, PeerId peer, OfferId offer, uint32_t part,
                      uint64_t bytes) = 0;
  // What a source sent for this window was wrong; nothing of it lands any more.
  virtual void OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause) = 0;
  // No write for the window can land any more; its memory may be reused.
  virtual void OnFenced(PeerId peer, OfferId offer) = 0;
  // Nothing that was sent over the channel can land any more; parts that had come were reported.
  virtual void OnChannelRetired(ChannelId /*channel*/) {}
};

// Counters since the start; bytes_copied counts at the copy calls (user space).
struct Counters {
  uint64_t bytes_sent = 0;
  uint64_t bytes_landed = 0;
  uint64_t bytes_copied = 0;
  uint64_t stale_dropped = 0;  // frames or immediates for windows that are not open
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual const Capabilities& capabilities() const = 0;

  // --- memory (slow path)
  // On any thread: what is slow about exporting such regions, ahead of ExportMemory, which says
  // what was wrong with it.
  virtual void PrepareMemory(absl::Span<const LocalRegion> /*regions*/) {}
  // NO_TRANSPORT: this path cannot move such memory at all.
  virtual absl::StatusOr<ExportedMemory> ExportMemory(absl::Span<const LocalRegion> regions) = 0;
  // All windows on it must be fenced and all segments done.
  virtual void ForgetMemory(MemoryId memory) = 0;
  virtual absl::StatusOr<RemoteMemoryId> ImportMemory(PeerId peer, absl::string_view key) = 0;
  // Target: NO_TRANSPORT says why bytes cannot get from what a source exported as `key` to
  // `memory`.
  virtual absl::Status CheckReach(MemoryId /*memory*/, absl::string_view /*key*/) {
    return absl::OkStatus();
  }

  // --- channels (slow path)
  virtual absl::StatusOr<OpenedChannel> Open(PeerId peer) = 0;
  virtual absl::StatusOr<OpenedChannel> Accept(PeerId peer, absl::string_view data) = 0;
  virtual absl::Status Complete(ChannelId channel, absl::string_view data) = 0;
  // Segments end with CANCELLED. Windows stay open; what is in flight to them may still land unless
  // they are fenced.
  virtual void Close(ChannelId channel) = 0;
  // Target, where capabilities().retires: the source says that its end has failed. Takes what has
  // arrived and ends the channel; OnChannelRetired follows, also for a channel that has ended.
  virtual void Retire(ChannelId /*channel*/) {}
  // Source: a new channel to the same peer would be better (a rail is back): open one for new
  // rooms. This one ends by itself when it is idle.
  virtual bool Superseded(ChannelId /*channel*/) const { return false; }
  // Closes all channels and forgets the windows and imports of a peer that is gone for good. Each
  // of its windows gets OnFenced.
  virtual void ForgetPeer(PeerId peer) = 0;

  // --- target
  virtual absl::Status OpenWindow(Window window) = 0;
  // OnFenced follows: at once with local_fence (on cuda when the launches under way have ended);
  // else after FenceDrained, or when the time for it is over and every channel from the peer has
  // been destroyed.
  virtual void Fence(PeerId peer, OfferId offer) = 0;
  // The source's own word that nothing of the window is in flight or will be: it answered a Fence,
  // or every part is in and it announced no more. Closes the window if it is open; OnFenced
  // follows.
  virtual void FenceDrained(PeerId peer, OfferId offer) { Fence(peer, offer); }

  // --- source (hot path)
  virtual Submitted Submit(ChannelId channel, Segment segment) = 0;
  // Ends every segment of the offer with CANCELLED, soon: after OnSegmentDone nothing reads the
  // source's pages.
  virtual void Cancel(ChannelId channel, OfferId offer) = 0;

  // --- progress
  // Does a bounded amount of work; false when there was none.
  virtual bool Poll(TimePoint now, Events* events) = 0;
  // Readable when Poll has work, after PrepareToSleep returned true.
  virtual int wait_fd() const = 0;
  // False: there is work, do not sleep.
  virtual bool PrepareToSleep() = 0;

  virtual Counters counters() const = 0;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TRANSPORT_H_
