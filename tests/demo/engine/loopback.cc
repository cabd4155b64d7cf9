#include "tests/demo/engine/loopback.h"

#include <algorithm>
#include <cstring>

#include "common/reason.h"

namespace baton::demo {

class LoopbackEnd : public EngineClient {
 public:
  explicit LoopbackEnd(Loopback* hub) : hub_(hub) {}

  absl::StatusOr<RoomHandle> OpenSend(const SendRoom& send) override {
    Loopback::Room& room = hub_->rooms_[send.room];
    room.send_open = true;
    room.total = send.total_tokens.value_or(0);
    hub_->Move(&room);
    return Handle(send.room);
  }

  absl::StatusOr<RoomHandle> OpenReceive(const ReceiveRoom& receive) override {
    Loopback::Room& room = hub_->rooms_[receive.room];
    room.receive_open = true;
    room.prefix = receive.prefix_tokens;
    room.target_aux = receive.aux_row;
    for (const auto& pages : receive.pages)
      room.target_pages.emplace_back(pages.begin(), pages.end());
    hub_->Move(&room);
    return Handle(receive.room);
  }

  absl::Status Send(RoomHandle handle, const Chunk& chunk) override {
    Loopback::Room& room = hub_->rooms_[keys_.at(handle.slot)];
    Loopback::Held held{chunk.token_begin, chunk.token_end, chunk.layer_begin, chunk.layer_end, {}};
    for (const auto& pages : chunk.pages) held.pages.emplace_back(pages.begin(), pages.end());
    room.chunks.push_back(held);
    room.last |= chunk.is_last_chunk;
    room.source_aux = chunk.aux_row;
    hub_->Move(&room);
    return absl::OkStatus();
  }

  absl::Status Abort(RoomHandle, const std::string& why) override {
    hub_->failure = Error(Reason::kAborted, why);
    return absl::OkStatus();
  }

  RoomStatus Poll(RoomHandle handle) const override {
    const Loopback::Room& room = hub_->rooms_[keys_.at(handle.slot)];
    if (!hub_->failure.ok()) return {RoomPhase::kFailed, hub_->released, 0};
    if (room.landed) return {RoomPhase::kDone, hub_->released, room.prefix};
    if (room.send_open && room.receive_open) return {RoomPhase::kOffered, false, room.prefix};
    return {RoomPhase::kOpen, false, 0};
  }

  absl::Status Cause(RoomHandle) const override { return hub_->failure; }
  uint64_t BytesMoved(RoomHandle) const override { return 0; }
  void Close(RoomHandle) override {}
  absl::StatusOr<RoomHandle> Announce(const AnnouncedRoom&) override {
    return Error(Reason::kBadMessage, "this end has no announced rooms");
  }
  absl::Status Provide(RoomHandle, const RoomPages&) override {
    return Error(Reason::kBadMessage, "this end has no announced rooms");
  }
  absl::StatusOr<PeerHandle> WatchPeer(const std::string&) override { return PeerHandle{}; }
  PeerStatus LookAtPeer(PeerHandle) const override { return PeerStatus(); }
  void ForgetPeer(PeerHandle) override {}
  bool attached() const override { return true; }
  Epoch agent_epoch() const override { return Epoch(1); }

 private:
  RoomHandle Handle(const RoomKey& key) {
    keys_.push_back(key);
    return {static_cast<uint32_t>(keys_.size() - 1), 0};
  }

  Loopback* const hub_;
  std::vector<RoomKey> keys_;
};

std::unique_ptr<EngineClient> Loopback::MakeSource() { return std::make_unique<LoopbackEnd>(this); }
std::unique_ptr<EngineClient> Loopback::MakeTarget() { return std::make_unique<LoopbackEnd>(this); }

void Loopback::Move(Room* room) {
  if (!room->send_open || !room->receive_open || room->landed) return;
  for (const Held& chunk : room->chunks) Copy(*room, chunk);
  room->chunks.clear();
  if (!room->last) return;
  auto& from = source_memory_->pool().views();
  auto& to = target_memory_->pool().views();
  for (size_t v = 0; v < to.size(); ++v) {
    if (to[v].kind() != "AUX") continue;
    std::memcpy(to[v].UnitAt(room->target_aux, 0, 0), from[v].UnitAt(room->source_aux, 0, 0),
                to[v].unit_bytes());
  }
  if (before_landed) before_landed();
  room->landed = true;
}

void Loopback::Copy(const Room& room, const Held& chunk) {
  auto& from_views = source_memory_->pool().views();
  auto& to_views = target_memory_->pool().views();
  for (size_t v = 0; v < to_views.size(); ++v) {
    BufferView& to_view = to_views[v];
    if (to_view.has_rows() || to_view.layer() == lost_layer) continue;
    if (to_view.layer() < chunk.layer_begin || to_view.layer() >= chunk.layer_end) continue;
    const uint32_t g = to_view.page_group();
    Placement from = Place(source_memory_->ownership(), g, chunk.begin, room.total);
    Placement to = Place(target_memory_->ownership(), g, room.prefix, room.total);
    const uint32_t size = from.page_tokens;
    for (uint64_t token = std::max(chunk.begin, room.prefix); token < chunk.end; ++token) {
      size_t i = from.IndexOf(token), j = to.IndexOf(token);
      if (i == from.tokens.size() || from.tokens[i] != token) continue;
      for (uint32_t h = 0; h * to_view.unit_bytes() < to_view.entry_bytes(); ++h) {
        std::memcpy(to_view.UnitAt(room.target_pages[g][j / size], j % size, h),
                    from_views[v].UnitAt(chunk.pages[g][i / size], i % size, h),
                    to_view.unit_bytes());
      }
    }
  }
}

}  // namespace baton::demo
