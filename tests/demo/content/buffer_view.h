// One tensor of one layer in a rank's memory, and what its bytes must be.
//
// A unit is one head of one entry of one page: the smallest run of bytes that always stays
// together. Its content is a function of (room, layer, kind, token, head, byte); where no token
// lies it is a canary, a function of (buffer, page, entry, head, byte).
#ifndef BATON_TESTS_DEMO_CONTENT_BUFFER_VIEW_H_
#define BATON_TESTS_DEMO_CONTENT_BUFFER_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/ids.h"
#include "planner/layout.h"
#include "tests/demo/content/placement.h"
#include "tests/demo/model/ownership.h"

namespace baton::demo {

// The room's share of every key.
uint64_t RoomSeed(const RoomKey& room);

struct PageFault {
  int64_t page = 0;
  uint64_t byte = 0;   // in the order (entry, head, byte)
  uint64_t token = 0;  // of content; the entry of a canary
  uint32_t head = 0;   // global
  uint8_t expected = 0;
  uint8_t found = 0;
};

// Borrows the memory. Thread-compatible.
class BufferView {
 public:
  BufferView(const Ownership& ownership, const planner::BufferLayout& layout, std::byte* region);

  uint32_t layer() const { return layer_; }
  uint32_t page_group() const { return page_group_; }
  bool has_rows() const { return has_rows_; }
  uint32_t pages() const { return pages_; }
  const std::string& kind() const { return kind_; }
  uint64_t unit_bytes() const { return unit_bytes_; }
  uint64_t entry_bytes() const { return unit_bytes_ * heads_.size(); }

  // Content of the i-th to j-th token of a placement.
  void Fill(uint64_t room_seed, const Placement& placement, size_t begin, size_t end);
  // Content of a row (STATE and AUX).
  void FillRow(uint64_t room_seed, uint32_t row);
  // Canaries from entry `begin` to the end of the page.
  void FillCanaries(int32_t page, uint32_t begin);

  // The first wrong byte of the i-th page of a placement: content where tokens lie, canaries after.
  std::optional<PageFault> CheckPage(uint64_t room_seed, const Placement& placement,
                                     size_t index) const;
  std::optional<PageFault> CheckRow(uint64_t room_seed, uint32_t row) const;
  // The same for a page that holds canaries alone.
  std::optional<PageFault> CheckCanaries(int32_t page, uint32_t begin) const;

  // To corrupt it on purpose.
  std::byte* UnitAt(int64_t page, uint32_t entry, uint32_t head_index) const {
    return base_ + page * page_stride_ + entry * entry_stride_ + head_index * head_stride_;
  }

 private:
  // Keys of the heads of one entry are derived from it.
  uint64_t EntryKey(uint64_t seed, uint64_t token) const;
  void FillEntry(uint64_t entry_key, int64_t page, uint32_t entry);
  std::optional<PageFault> CheckEntry(uint64_t entry_key, int64_t page, uint32_t entry,
                                      uint64_t token) const;
  PageFault Explain(uint64_t key, int64_t page, uint32_t entry, uint32_t head_index,
                    uint64_t token) const;

  uint32_t layer_;
  uint32_t page_group_;
  bool has_rows_;
  uint32_t pages_;
  uint32_t entries_;  // of a page
  std::string kind_;
  uint64_t identity_;         // of (layer, kind, name): equal on both sides
  uint64_t canary_identity_;  // of the place
  uint64_t unit_bytes_;
  std::vector<uint32_t> heads_;
  std::byte* base_;
  uint64_t page_stride_;
  uint64_t entry_stride_;
  uint64_t head_stride_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_CONTENT_BUFFER_VIEW_H_
