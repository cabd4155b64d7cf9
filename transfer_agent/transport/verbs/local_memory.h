// The memory of a hosted rank, registered on every rail whose device has not failed.
//
// A registration's addresses are offsets into its region, on both sides: what a peer learns is a
// key, never an address of this process. Regions longer than a device registers at once are cut
// into pieces. A source's pool gets no remote access; with memory windows no pool does, and each
// channel opens it for itself (channel_windows.h). Slow path, but for Resolve.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_LOCAL_MEMORY_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_LOCAL_MEMORY_H_

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/message.h"
#include "transfer_agent/transport/verbs/rail.h"

namespace baton::transport::verbs {

class LocalMemory {
 public:
  struct Piece {
    ibv_mr* mr = nullptr;
    uint64_t offset = 0;  // in its region, and the registration's first address
    uint64_t length = 0;
  };

  // `windows`: the number under which channels tell of their keys to it; 0: there are no windows,
  // its own keys are given away. BAD_REGION says which region, which rail, what the system said and
  // what is missing.
  static absl::StatusOr<std::unique_ptr<LocalMemory>> Register(
      absl::Span<const LocalRegion> regions, absl::Span<const std::unique_ptr<Rail>> rails,
      uint64_t windows = 0);
  ~LocalMemory();
  LocalMemory(const LocalMemory&) = delete;
  LocalMemory& operator=(const LocalMemory&) = delete;

  // Bytes of one gather element from `offset` on, at most `wanted`, and their key. 0: outside.
  uint64_t Resolve(uint32_t region, uint64_t offset, uint64_t wanted, size_t rail,
                   uint32_t* key) const {
    if (region >= regions_.size()) return 0;
    const Region& r = regions_[region];
    if (offset >= r.local.size || wanted > r.local.size - offset) return 0;
    const uint64_t piece = offset >> std::countr_zero(r.piece_bytes);
    *key = r.pieces[piece * rails_.size() + rail]->lkey;
    const uint64_t left = (piece + 1) * r.piece_bytes - offset;
    return wanted < left ? wanted : left;
  }
  // What the CPU reads; null for a dma-buf.
  std::byte* base(uint32_t region) const { return regions_[region].local.base; }
  // What comes into it is not seen at once: a READ of this over the rail makes sure (flusher.h).
  bool needs_flush() const { return flush_region_ < regions_.size(); }
  void FlushFrom(size_t rail, uint64_t* address, uint32_t* key) const {
    *address = 0;
    *key = regions_[flush_region_].pieces[rail]->rkey;
  }
  // What peers need to write to it; empty for a source's memory.
  std::string Key() const;
  uint64_t windows() const { return windows_; }
  // Of the rail, region by region.
  std::vector<Piece> Pieces(size_t rail) const;
  // Their sizes and pieces, without keys.
  std::vector<RemoteMemory::Region> Shape() const;

 private:
  struct Region {
    LocalRegion local;
    uint64_t piece_bytes = 0;
    std::vector<ibv_mr*> pieces;  // of piece p on rail r: [p * rails + r]
    // Where it is mapped for writing when the pool's own mapping is read-only; null: nowhere.
    std::byte* writable = nullptr;
  };

  LocalMemory() = default;
  absl::Status RegisterRegion(size_t index);
  // Of one region on several threads at once, but for its first piece.
  absl::Status RegisterPiece(size_t index, size_t at);
  ibv_mr* Pin(const Rail& rail, Region* region, uint64_t offset, uint64_t length) const;

  std::vector<Rail*> rails_;
  uint64_t windows_ = 0;
  std::vector<Region> regions_;
  size_t flush_region_ = SIZE_MAX;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_LOCAL_MEMORY_H_
