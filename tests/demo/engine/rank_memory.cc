#include "tests/demo/engine/rank_memory.h"

#include <utility>

namespace baton::demo {

using planner::Kind;

std::vector<absl::Span<const int32_t>> RoomShare::AllPages() const {
  std::vector<absl::Span<const int32_t>> pages;
  for (const Placement& group : groups) pages.emplace_back(group.pages);
  return pages;
}

std::vector<absl::Span<const int32_t>> RoomShare::PagesOf(uint64_t begin, uint64_t end) const {
  std::vector<absl::Span<const int32_t>> pages;
  for (const Placement& group : groups) pages.push_back(group.PagesOf(begin, end));
  return pages;
}

RankMemory::RankMemory(RankMemoryOptions options)
    : spec_(std::move(options.spec)), ownership_(&spec_, options.coord) {}

absl::StatusOr<std::unique_ptr<RankMemory>> RankMemory::Create(RankMemoryOptions options) {
  const RankMemoryOptions kept = options;
  std::unique_ptr<RankMemory> memory(new RankMemory(std::move(options)));
  PoolSizes sizes = SizesFor(memory->ownership_, kept.pool_tokens, kept.rooms_max);
  auto pool =
      Pool::Create(memory->ownership_, LayOut(memory->ownership_, kept.order, sizes), kept.name);
  if (!pool.ok()) return pool.status();
  memory->pool_ = *std::move(pool);
  uint64_t seed = kept.seed;
  for (uint32_t pages : sizes.pages) memory->pages_.emplace_back(pages, ++seed);
  // STATE first: the AUX row is passed on its own.
  for (Kind kind : {Kind::kState, Kind::kAux}) {
    memory->row_index_.resize(memory->spec_.tensors.size());
    for (size_t t = 0; t < memory->spec_.tensors.size(); ++t) {
      if (memory->spec_.tensors[t].kind != kind) continue;
      memory->row_index_[t] = memory->rows_.size();
      memory->rows_.emplace_back(sizes.rows, ++seed);
    }
  }
  return memory;
}

std::optional<RoomShare> RankMemory::Allocate(uint64_t from, uint64_t total) {
  RoomShare share;
  for (uint32_t g = 0; g < pages_.size(); ++g) {
    share.groups.push_back(Place(ownership_, g, from, total));
    if (PagesWanted(share.groups[g]) > pages_[g].free_pages()) return std::nullopt;
  }
  for (const PageAllocator& rows : rows_) {
    if (rows.free_pages() == 0) return std::nullopt;
  }
  for (uint32_t g = 0; g < pages_.size(); ++g) {
    share.groups[g].pages = *pages_[g].Allocate(PagesWanted(share.groups[g]));
  }
  for (PageAllocator& rows : rows_) share.state_rows.push_back((*rows.Allocate(1))[0]);
  share.aux_row = share.state_rows.back();
  share.state_rows.pop_back();
  return share;
}

void RankMemory::Free(const RoomShare& share) {
  for (uint32_t g = 0; g < pages_.size(); ++g) pages_[g].Free(share.groups[g].pages);
  for (size_t i = 0; i < share.state_rows.size(); ++i) {
    int32_t row = static_cast<int32_t>(share.state_rows[i]);
    rows_[i].Free({&row, 1});
  }
  int32_t row = static_cast<int32_t>(share.aux_row);
  rows_.back().Free({&row, 1});
}

uint32_t RankMemory::RowOf(const RoomShare& share, size_t view) const {
  size_t index = row_index_[pool_->layout().buffers[view].tensor];
  return index == share.state_rows.size() ? share.aux_row : share.state_rows[index];
}

uint64_t RankMemory::BytesOf(const RoomShare& share, uint64_t from) const {
  uint64_t bytes = 0;
  for (const BufferView& view : pool_->views()) {
    if (view.has_rows()) {
      bytes += view.entry_bytes();
      continue;
    }
    const Placement& group = share.groups[view.page_group()];
    bytes += (group.tokens.size() - group.IndexOf(from)) * view.entry_bytes();
  }
  return bytes;
}

}  // namespace baton::demo
