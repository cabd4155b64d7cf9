#include "tests/demo/engine/target_room.h"

#include <utility>

namespace baton::demo {

v1::Mismatch ToMismatch(const BufferView& view, const PageFault& fault) {
  v1::Mismatch mismatch;
  mismatch.set_layer(view.layer());
  mismatch.set_kind(view.kind());
  mismatch.set_page(fault.page);
  mismatch.set_byte(fault.byte);
  mismatch.set_token(fault.token);
  mismatch.set_head(fault.head);
  mismatch.set_expected(fault.expected);
  mismatch.set_found(fault.found);
  return mismatch;
}

TargetRoom::TargetRoom(EngineClient* engine, RankMemory* memory, v1::OpenRoom open, RoomShare share)
    : EngineRoom(engine, memory, std::move(open), std::move(share)), seed_(RoomSeed(key())) {
  report_.set_role(v1::ROLE_DECODE);
  report_.set_bytes(memory_->BytesOf(share_, open_.prefix_tokens()));
}

void TargetRoom::PrepareEdges() {
  for (BufferView& view : memory_->pool().views()) {
    if (view.has_rows()) continue;
    const Placement& group = share_.groups[view.page_group()];
    if (group.pages.empty()) continue;
    view.Fill(seed_, group, 0, group.IndexOf(open_.prefix_tokens()));
    size_t last = group.pages.size() - 1;
    view.FillCanaries(group.pages[last], group.TokensOfPage(last).size());
  }
}

absl::StatusOr<RoomHandle> TargetRoom::Open() {
  if (!prepared_) PrepareEdges();
  prepared_ = true;
  ReceiveRoom room;
  room.room = key();
  room.prefill_server = open_.prefill_server();
  if (open_.has_prefill_dp()) room.prefill_dp = open_.prefill_dp();
  auto holder = open_.spread() ? planner::HolderPolicy::kSpread : planner::HolderPolicy::kOne;
  room.policy = {holder, holder};
  room.total_tokens = open_.total_tokens();
  room.prefix_tokens = open_.prefix_tokens();
  room.pages = share_.AllPages();
  room.state_rows = share_.state_rows;
  room.aux_row = share_.aux_row;
  room.time_left = std::chrono::milliseconds(open_.time_left_ms());
  return engine_->OpenReceive(room);
}

void TargetRoom::Corrupt() {
  std::vector<BufferView>& views = memory_->pool().views();
  // A byte of the last token, in the middle of the buffers; the aux record if no token is here.
  for (size_t i = 0; i < views.size(); ++i) {
    BufferView& view = views[(i + views.size() / 2) % views.size()];
    if (view.has_rows()) continue;
    const Placement& group = share_.groups[view.page_group()];
    if (group.IndexOf(open_.prefix_tokens()) == group.tokens.size()) continue;
    uint32_t entry = (group.tokens.size() - 1) % group.page_tokens;
    view.UnitAt(group.pages.back(), entry, 0)[view.unit_bytes() / 3] ^= std::byte{0x10};
    return;
  }
  for (size_t v = 0; v < views.size(); ++v) {
    if (!views[v].has_rows()) continue;
    views[v].UnitAt(memory_->RowOf(share_, v), 0, 0)[1] ^= std::byte{0x10};
    return;
  }
}

bool TargetRoom::Check() {
  if (next_view_ == 0 && open_.corrupt()) Corrupt();
  if (next_view_ < memory_->pool().views().size()) CheckView(next_view_++);
  if (next_view_ < memory_->pool().views().size()) return true;
  content_is_known_ = report_.pages_bad() == 0;
  return false;
}

void TargetRoom::CheckView(size_t index) {
  const BufferView& view = memory_->pool().views()[index];
  if (view.has_rows()) return Count(view, view.CheckRow(seed_, memory_->RowOf(share_, index)));
  const Placement& group = share_.groups[view.page_group()];
  for (size_t page = 0; page < group.pages.size(); ++page) {
    Count(view, view.CheckPage(seed_, group, page));
  }
}

void TargetRoom::Count(const BufferView& view, const std::optional<PageFault>& fault) {
  report_.set_pages(report_.pages() + 1);
  if (!fault) return;
  report_.set_pages_bad(report_.pages_bad() + 1);
  if (report_.mismatches_size() == kMismatchesReported) return;
  v1::Mismatch* mismatch = report_.add_mismatches();
  *mismatch = ToMismatch(view, *fault);
  mismatch->set_room_id(open_.id());
  mismatch->set_room_nonce(open_.nonce());
}

}  // namespace baton::demo
