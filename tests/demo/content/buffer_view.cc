#include "tests/demo/content/buffer_view.h"

#include "planner/kind_names.h"
#include "tests/demo/content/pattern.h"

namespace baton::demo {
namespace {

using planner::Kind;
using planner::TensorSpec;

// The token that stands for a row.
constexpr uint64_t kRowToken = UINT64_MAX;

uint64_t Identity(const TensorSpec& tensor, uint32_t layer) {
  uint64_t identity = Mix(layer, static_cast<uint64_t>(tensor.kind));
  for (char c : tensor.name) identity = Mix(identity, static_cast<unsigned char>(c));
  return identity;
}

}  // namespace

uint64_t RoomSeed(const RoomKey& room) { return Mix(Mix(0x7265616c, room.id), room.nonce); }

BufferView::BufferView(const Ownership& ownership, const planner::BufferLayout& layout,
                       std::byte* region)
    : layer_(layout.layer),
      pages_(layout.pages),
      base_(region + layout.offset),
      page_stride_(layout.page_stride),
      entry_stride_(layout.entry_stride),
      head_stride_(layout.head_stride) {
  const TensorSpec& tensor = ownership.spec().tensors[layout.tensor];
  page_group_ = tensor.page_group;
  has_rows_ = tensor.kind == Kind::kState || tensor.kind == Kind::kAux;
  entries_ = has_rows_ ? 1 : ownership.spec().page_groups[page_group_].page_tokens;
  kind_ = planner::TensorName(tensor);
  identity_ = Identity(tensor, layer_);
  canary_identity_ = Mix(0x63616e617279, Mix(layout.region, layout.offset));
  unit_bytes_ = tensor.head_bytes;
  heads_ = ownership.Heads(tensor);
}

uint64_t BufferView::EntryKey(uint64_t seed, uint64_t token) const {
  return Mix(seed ^ identity_, token);
}

void BufferView::FillEntry(uint64_t entry_key, int64_t page, uint32_t entry) {
  for (uint32_t h = 0; h < heads_.size(); ++h) {
    WritePattern(Mix(entry_key, heads_[h]), UnitAt(page, entry, h), unit_bytes_);
  }
}

void BufferView::Fill(uint64_t room_seed, const Placement& placement, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    FillEntry(EntryKey(room_seed, placement.tokens[i]), placement.pages[i / entries_],
              i % entries_);
  }
}

void BufferView::FillRow(uint64_t room_seed, uint32_t row) {
  FillEntry(EntryKey(room_seed, kRowToken), row, 0);
}

void BufferView::FillCanaries(int32_t page, uint32_t begin) {
  for (uint32_t entry = begin; entry < entries_; ++entry) {
    FillEntry(Mix(canary_identity_, uint64_t{entry} << 32 | page), page, entry);
  }
}

PageFault BufferView::Explain(uint64_t key, int64_t page, uint32_t entry, uint32_t head_index,
                              uint64_t token) const {
  const std::byte* unit = UnitAt(page, entry, head_index);
  PageFault fault;
  fault.page = page;
  fault.token = token;
  fault.head = heads_[head_index];
  for (uint64_t i = 0; i < unit_bytes_; ++i) {
    fault.expected = PatternByte(key, i);
    fault.found = static_cast<uint8_t>(unit[i]);
    fault.byte = (uint64_t{entry} * heads_.size() + head_index) * unit_bytes_ + i;
    if (fault.expected != fault.found) break;
  }
  return fault;
}

std::optional<PageFault> BufferView::CheckEntry(uint64_t entry_key, int64_t page, uint32_t entry,
                                                uint64_t token) const {
  for (uint32_t h = 0; h < heads_.size(); ++h) {
    uint64_t key = Mix(entry_key, heads_[h]);
    if (HoldsPattern(key, UnitAt(page, entry, h), unit_bytes_)) continue;
    return Explain(key, page, entry, h, token);
  }
  return std::nullopt;
}

std::optional<PageFault> BufferView::CheckPage(uint64_t room_seed, const Placement& placement,
                                               size_t index) const {
  absl::Span<const uint64_t> tokens = placement.TokensOfPage(index);
  const int32_t page = placement.pages[index];
  for (uint32_t entry = 0; entry < tokens.size(); ++entry) {
    auto fault = CheckEntry(EntryKey(room_seed, tokens[entry]), page, entry, tokens[entry]);
    if (fault) return fault;
  }
  return CheckCanaries(page, tokens.size());
}

std::optional<PageFault> BufferView::CheckRow(uint64_t room_seed, uint32_t row) const {
  return CheckEntry(EntryKey(room_seed, kRowToken), row, 0, 0);
}

std::optional<PageFault> BufferView::CheckCanaries(int32_t page, uint32_t begin) const {
  for (uint32_t entry = begin; entry < entries_; ++entry) {
    uint64_t key = Mix(canary_identity_, uint64_t{entry} << 32 | page);
    if (auto fault = CheckEntry(key, page, entry, entry)) return fault;
  }
  return std::nullopt;
}

}  // namespace baton::demo
