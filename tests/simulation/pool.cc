#include "tests/simulation/pool.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/model.h"

namespace baton::sim {
namespace {

constexpr std::byte kPoison{0xdb};

}  // namespace

Pool::Pool(RankRef rank, const planner::ServerSpec& spec,
           std::function<void(const std::string&)> complain)
    : rank_(std::move(rank)),
      spec_(spec),
      complain_(std::move(complain)),
      pages_(kPages),
      rows_(kRows) {
  uint64_t bytes = 0;
  layout_ = LayoutOf(spec_, rank_.coord, &bytes);
  memory_.assign(bytes, kPoison);
  page_bytes_ = layout_.buffers.front().page_stride;
  rows_at_ = layout_.buffers.back().offset;
  for (int32_t page = kPages - 1; page >= 0; --page) free_pages_.push_back(page);
  for (uint32_t row = kRows; row > 0; --row) free_rows_.push_back(row - 1);
}

Pool::Unit& Pool::UnitAt(uint64_t offset) {
  if (offset >= rows_at_) return rows_[(offset - rows_at_) / kAuxBytes];
  return pages_[offset / page_bytes_ % kPages];
}

void Pool::Poison(size_t page) {
  for (const planner::BufferLayout& buffer : layout_.buffers) {
    if (buffer.pages != kPages) continue;
    std::memset(memory_.data() + buffer.offset + page * page_bytes_, 0xdb, page_bytes_);
  }
}

bool Pool::Take(Holder holder, uint32_t pages, std::vector<int32_t>* taken, uint32_t* row) {
  if (free_pages_.size() < pages || free_rows_.empty()) return false;
  for (uint32_t i = 0; i < pages; ++i) {
    taken->push_back(free_pages_.back());
    free_pages_.pop_back();
    pages_[taken->back()] = {holder, true};
    Poison(taken->back());
  }
  *row = free_rows_.back();
  free_rows_.pop_back();
  rows_[*row] = {holder, true};
  std::memset(memory_.data() + rows_at_ + *row * kAuxBytes, 0xdb, kAuxBytes);
  return true;
}

void Pool::Release(Holder holder, bool poison) {
  for (size_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page].holder != holder) continue;
    pages_[page].open = false;
    if (poison) Poison(page);
  }
  for (Unit& row : rows_) {
    if (row.holder == holder) row.open = false;
  }
}

void Pool::Free(Holder holder) {
  for (size_t page = 0; page < pages_.size(); ++page) {
    if (pages_[page].holder != holder) continue;
    pages_[page] = {};
    free_pages_.push_back(static_cast<int32_t>(page));
  }
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (rows_[row].holder != holder) continue;
    rows_[row] = {};
    free_rows_.push_back(row);
  }
}

template <typename Visit>
void Pool::Walk(absl::Span<const int32_t> pages, uint64_t begin, uint64_t end, Visit visit) const {
  const uint64_t first_page = begin / kPageTokens;
  for (const planner::BufferLayout& buffer : layout_.buffers) {
    if (buffer.pages != kPages) continue;
    for (uint64_t token = begin; token < end; ++token) {
      const int32_t page = pages[token / kPageTokens - first_page];
      const uint64_t at =
          buffer.offset + page * buffer.page_stride + (token % kPageTokens) * buffer.entry_stride;
      const uint32_t first = rank_.coord.tp * buffer.entry_stride;
      for (uint32_t b = 0; b < buffer.entry_stride; ++b) {
        if (!visit(at + b, buffer, token, first + b)) return;
      }
    }
  }
}

void Pool::Fill(uint64_t salt, absl::Span<const int32_t> pages, uint64_t begin, uint64_t end) {
  Walk(pages, begin, end,
       [&](uint64_t at, const planner::BufferLayout& buffer, uint64_t token, uint32_t b) {
         memory_[at] = ContentOf(salt, buffer.tensor, buffer.layer, token, b);
         return true;
       });
}

void Pool::FillRow(uint64_t salt, uint32_t row) {
  for (uint32_t b = 0; b < kAuxBytes; ++b) {
    memory_[rows_at_ + row * kAuxBytes + b] = ContentOf(salt, 99, 0, 0, b);
  }
}

std::string Pool::Differs(uint64_t salt, absl::Span<const int32_t> pages, uint32_t row,
                          uint64_t begin, uint64_t end) const {
  std::string found;
  Walk(pages, begin, end,
       [&](uint64_t at, const planner::BufferLayout& buffer, uint64_t token, uint32_t b) {
         if (memory_[at] == ContentOf(salt, buffer.tensor, buffer.layer, token, b)) return true;
         found = absl::StrCat("tensor ", buffer.tensor, ", layer ", buffer.layer, ", token ", token,
                              ", byte ", b, memory_[at] == kPoison ? " (never written)" : "");
         return false;
       });
  for (uint32_t b = 0; b < kAuxBytes && found.empty(); ++b) {
    if (memory_[rows_at_ + row * kAuxBytes + b] != ContentOf(salt, 99, 0, 0, b)) {
      found = absl::StrCat("aux row, byte ", b);
    }
  }
  return found;
}

void Pool::Write(Holder holder, uint64_t offset, const std::byte* from, uint64_t length) {
  if (offset + length > memory_.size()) return complain_("NothingStale: a write beyond the pool");
  for (uint64_t at = offset; at < offset + length; ++at) {
    const Unit& unit = UnitAt(at);
    if (unit.open && unit.holder == holder) continue;
    return complain_(absl::StrCat("NothingStale: ", ToString(rank_), " byte ", at,
                                  " written for holder ", holder, " while it is ",
                                  unit.open ? "another room's" : "released"));
  }
  std::memcpy(memory_.data() + offset, from, length);
}

void Pool::Read(uint64_t offset, uint64_t length, std::vector<std::byte>* to) {
  for (uint64_t at = offset; at < offset + length; ++at) {
    if (UnitAt(at).open) continue;
    complain_(absl::StrCat("NothingStale: ", ToString(rank_), " byte ", at,
                           " read after its room was released"));
    break;
  }
  to->insert(to->end(), memory_.begin() + offset, memory_.begin() + offset + length);
}

}  // namespace baton::sim
