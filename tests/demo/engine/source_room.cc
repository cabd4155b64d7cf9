#include "tests/demo/engine/source_room.h"

#include <algorithm>
#include <utility>

#include "common/reason.h"

namespace baton::demo {

std::vector<PlannedChunk> PlanChunks(const v1::OpenRoom& open, uint64_t begin,
                                     uint32_t middle_layer) {
  const uint64_t total = open.total_tokens();
  const uint64_t step = open.chunk_tokens() == 0 ? total : open.chunk_tokens();
  std::vector<PlannedChunk> chunks;
  for (uint64_t token = begin; token < total; token += std::min(step, total - token)) {
    PlannedChunk chunk;
    chunk.token_begin = token;
    chunk.token_end = token + std::min(step, total - token);
    if (open.split_layers()) {
      chunk.layer_end = middle_layer;
      chunks.push_back(chunk);
      chunk.layer_begin = middle_layer;
      chunk.layer_end = UINT32_MAX;
    }
    chunks.push_back(chunk);
  }
  if (chunks.empty() || open.empty_last_chunk()) {
    PlannedChunk empty;
    empty.token_begin = empty.token_end = total;
    chunks.push_back(empty);
  }
  chunks.back().last = true;
  return chunks;
}

SourceRoom::SourceRoom(EngineClient* engine, RankMemory* memory, v1::OpenRoom open, RoomShare share)
    : EngineRoom(engine, memory, std::move(open), std::move(share)), seed_(RoomSeed(key())) {
  report_.set_role(v1::ROLE_PREFILL);
}

absl::StatusOr<RoomHandle> SourceRoom::Open() {
  SendRoom room;
  room.room = key();
  room.total_tokens = open_.total_tokens();
  room.time_left = std::chrono::milliseconds(open_.time_left_ms());
  return engine_->OpenSend(room);
}

bool SourceRoom::Work(const RoomStatus& status) {
  if (chunks_.empty()) {
    if (open_.await_offer() && status.phase != RoomPhase::kOffered) return false;
    uint64_t begin = open_.await_offer() ? status.prefix_tokens : 0;
    uint32_t layers = 0;
    for (const auto& stage : memory_->spec().stages) layers += stage.size();
    chunks_ = PlanChunks(open_, begin, layers / 2);
  }
  if (next_ == chunks_.size()) return false;
  const PlannedChunk& planned = chunks_[next_];
  if (!computed_) {
    Compute(planned);
    computed_ = true;
  }
  Chunk chunk;
  chunk.token_begin = planned.token_begin;
  chunk.token_end = planned.token_end;
  chunk.layer_begin = planned.layer_begin;
  chunk.layer_end = planned.layer_end;
  chunk.is_last_chunk = planned.last;
  chunk.pages = share_.PagesOf(planned.token_begin, planned.token_end);
  chunk.state_rows = share_.state_rows;
  chunk.aux_row = share_.aux_row;
  const uint64_t now = NowNs();
  absl::Status sent = engine_->Send(handle_, chunk);
  if (!sent.ok()) {
    if (ReasonOf(sent) == Reason::kFull) return false;
    // The room may have ended a moment ago; what ended it is the better cause.
    if (IsTerminal(engine_->Poll(handle_))) return true;
    if (report_.error().empty()) Fail("Send: " + Describe(sent));
    (void)engine_->Abort(handle_, "the engine could not send");
    next_ = chunks_.size();
    return true;
  }
  if (next_ == 0) report_.set_first_send_ns(now);
  report_.set_last_send_ns(now);
  computed_ = false;
  ++next_;
  return true;
}

void SourceRoom::Compute(const PlannedChunk& chunk) {
  std::vector<BufferView>& views = memory_->pool().views();
  for (size_t v = 0; v < views.size(); ++v) {
    BufferView& view = views[v];
    if (view.has_rows()) {
      if (chunk.last) view.FillRow(seed_, memory_->RowOf(share_, v));
      continue;
    }
    if (view.layer() < chunk.layer_begin || view.layer() >= chunk.layer_end) continue;
    const Placement& group = share_.groups[view.page_group()];
    view.Fill(seed_, group, group.IndexOf(chunk.token_begin), group.IndexOf(chunk.token_end));
  }
}

}  // namespace baton::demo
