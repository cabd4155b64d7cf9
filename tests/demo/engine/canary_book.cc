#include "tests/demo/engine/canary_book.h"

#include <algorithm>

#include "tests/demo/engine/target_room.h"

namespace baton::demo {

CanaryBook::CanaryBook(RankMemory* memory) : memory_(memory) {
  std::vector<BufferView>& views = memory_->pool().views();
  pages_.resize(memory_->spec().page_groups.size());
  rows_.resize(views.size());
  for (size_t v = 0; v < views.size(); ++v) {
    BufferView& view = views[v];
    auto& uses = view.has_rows() ? rows_[v] : pages_[view.page_group()];
    uses.resize(view.pages());
    for (uint32_t page = 0; page < view.pages(); ++page) view.FillCanaries(page, 0);
  }
}

void CanaryBook::Returned(const RoomKey& room, const RoomShare& share, bool known) {
  auto holding = std::make_shared<Holding>(Holding{room, RoomSeed(room), share, known});
  for (size_t g = 0; g < pages_.size(); ++g) {
    const std::vector<int32_t>& pages = share.groups[g].pages;
    // A group of which the rank has no layer has no buffers.
    if (pages_[g].empty()) continue;
    for (size_t i = 0; i < pages.size(); ++i) pages_[g][pages[i]] = {holding, i};
  }
  for (size_t v = 0; v < rows_.size(); ++v) {
    if (!rows_[v].empty()) rows_[v][memory_->RowOf(share, v)] = {holding, 0};
  }
}

v1::FinalReport CanaryBook::Check() const {
  v1::FinalReport report;
  for (size_t v = 0; v < rows_.size(); ++v) CheckView(v, &report);
  return report;
}

void CanaryBook::CheckView(size_t index, v1::FinalReport* report) const {
  const BufferView& view = memory_->pool().views()[index];
  const auto& uses = view.has_rows() ? rows_[index] : pages_[view.page_group()];
  for (uint32_t page = 0; page < view.pages(); ++page) {
    const Use& use = uses[page];
    std::optional<PageFault> fault;
    if (use.holding == nullptr) {
      fault = view.CheckCanaries(page, 0);
    } else if (!use.holding->known) {
      continue;
    } else if (view.has_rows()) {
      fault = view.CheckRow(use.holding->seed, page);
    } else {
      fault = view.CheckPage(use.holding->seed, use.holding->share.groups[view.page_group()],
                             use.index);
    }
    report->set_pages(report->pages() + 1);
    if (!fault) continue;
    report->set_pages_bad(report->pages_bad() + 1);
    if (report->mismatches_size() == kMismatchesReported) continue;
    v1::Mismatch* mismatch = report->add_mismatches();
    *mismatch = ToMismatch(view, *fault);
    mismatch->set_canary(use.holding == nullptr);
    if (use.holding == nullptr) continue;
    mismatch->set_room_id(use.holding->room.id);
    mismatch->set_room_nonce(use.holding->room.nonce);
  }
}

}  // namespace baton::demo
