// What the pull kernel walks, and the walk itself: compiled into the kernel by nvcc and into the
// stand-in driver by the C++ compiler, so that both do the same.
//
// An item is one strided copy of a plan. It is cut into pieces, all equally long but for the ends
// of the room, and pieces are put into groups: a warp takes a group at a time. Everything is
// computed from the piece's number and the two page lists; no address of a page is ever uploaded.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_ITEM_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_ITEM_H_

#include <stdint.h>

#ifdef __CUDACC__
#define BATON_DEVICE __device__ __forceinline__
#else
#define BATON_DEVICE inline
#endif

namespace baton::transport::cuda {

struct ItemSide {
  uint64_t base;        // address of entry 0 of page 0 (of the row, without a list)
  const int32_t* list;  // null: one page
  uint64_t page_stride;
  uint64_t entry_stride;
  uint64_t axis_stride[2];
  uint32_t first;  // entry number of entry 0
  uint32_t page_entries;
};

struct Item {
  ItemSide source;
  ItemSide target;
  uint32_t entries;
  // Entries that lie in one page on both sides, counted from `phase` entries before the first.
  uint32_t atom;
  uint32_t phase;
  // Entries of an atom that each are a run of their own; 1: an atom is one run.
  uint32_t entry_runs;
  uint32_t axis_count[2];
  uint32_t entry_bytes;  // of a run, for each entry in it
  uint32_t cuts;         // pieces of a run
  uint32_t cut_bytes;
  uint32_t vector_bytes;  // 16, 4 or 1: what addresses and lengths are multiples of
  uint32_t cut_vectors;
  uint32_t cut_inverse;  // 2^32 / cut_vectors, rounded up
  uint32_t pieces;
  uint32_t group_pieces;  // at most 32
  uint32_t first_group;   // groups of the items before
  uint32_t zero;
};

// Groups [group_begin, group_end) of the items of one room's chunk.
struct Slice {
  const Item* items;
  uint32_t item_count;
  uint32_t group_begin;
  uint32_t group_end;
  uint32_t launch_group;  // groups of the slices before
};

constexpr uint32_t kSlicesPerLaunchMax = 64;
struct Launch {
  uint32_t slices;
  uint32_t groups;
  Slice slice[kSlicesPerLaunchMax];
};

struct Piece {
  uint64_t source;
  uint64_t target;
  uint32_t bytes;  // 0: beyond the room
};

BATON_DEVICE uint64_t SideAt(const ItemSide& side, uint32_t entry) {
  const uint32_t number = side.first + entry;
  if (side.list == nullptr) return side.base + number * side.entry_stride;
  const uint32_t page = number / side.page_entries;
  const uint32_t slot = number - page * side.page_entries;
  return side.base + static_cast<uint32_t>(side.list[page]) * side.page_stride +
         slot * side.entry_stride;
}

// Takes the lowest digit of `rest` in a number system of mixed bases.
BATON_DEVICE uint32_t Digit(uint32_t* rest, uint32_t base) {
  if (base == 1) return 0;
  const uint32_t quotient = *rest / base;
  const uint32_t digit = *rest - quotient * base;
  *rest = quotient;
  return digit;
}

BATON_DEVICE Piece PieceAt(const Item& item, uint32_t number) {
  const Piece none = {0, 0, 0};
  if (number >= item.pieces) return none;
  uint32_t atom = number;
  const uint32_t cut = Digit(&atom, item.cuts);
  const uint32_t inner = Digit(&atom, item.axis_count[1]);
  const uint32_t outer = Digit(&atom, item.axis_count[0]);
  const uint32_t run = Digit(&atom, item.entry_runs);
  const int64_t begin = static_cast<int64_t>(atom) * item.atom - item.phase + run;
  int64_t end = begin + (item.entry_runs == 1 ? item.atom : 1);
  const int64_t from = begin < 0 ? 0 : begin;
  if (end > item.entries) end = item.entries;
  if (from >= end) return none;
  const uint64_t length = static_cast<uint64_t>(end - from) * item.entry_bytes;
  const uint64_t skip = static_cast<uint64_t>(cut) * item.cut_bytes;
  if (skip >= length) return none;
  const uint64_t left = length - skip;
  Piece piece;
  piece.bytes = left < item.cut_bytes ? static_cast<uint32_t>(left) : item.cut_bytes;
  piece.source = SideAt(item.source, static_cast<uint32_t>(from)) + skip +
                 outer * item.source.axis_stride[0] + inner * item.source.axis_stride[1];
  piece.target = SideAt(item.target, static_cast<uint32_t>(from)) + skip +
                 outer * item.target.axis_stride[0] + inner * item.target.axis_stride[1];
  return piece;
}

// The slice that group number `group` of the launch is in.
BATON_DEVICE const Slice& FindSlice(const Launch& launch, uint32_t group) {
  uint32_t s = launch.slices - 1;
  while (launch.slice[s].launch_group > group) --s;
  return launch.slice[s];
}

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_ITEM_H_
