#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/engine/attached_engine.h"
#include "common/reason.h"

namespace baton {
namespace {

using shm_abi::EntryKind;
using shm_abi::SlotRef;

uint32_t MillisOf(std::chrono::milliseconds time_left) {
  return static_cast<uint32_t>(std::clamp<int64_t>(time_left.count(), 0, UINT32_MAX));
}

}  // namespace

absl::Status AttachedEngine::CheckAttached() const {
  if (attached_.load(std::memory_order_relaxed)) return absl::OkStatus();
  return Error(Reason::kAgentLost, absl::StrCat(ToString(rank_), " has no agent now: ", lost_why_),
               rank_);
}

absl::StatusOr<SlotRef> AttachedEngine::TakeSlot() {
  if (absl::Status s = CheckAttached(); !s.ok()) return s;
  std::optional<SlotRef> ref;
  if (PayOwed()) ref = book_.Take(attachment_number_);
  if (ref.has_value()) return *ref;
  return Error(Reason::kFull, absl::StrCat("no slot is free: ", options_.slots,
                                           " rooms are open; close some, or raise slots"));
}

absl::Status AttachedEngine::CheckOpen(RoomHandle room) const {
  if (!book_.IsOpen(RefOf(room))) {
    return Error(Reason::kRoomUnknown, "the room's handle is closed");
  }
  if (book_.Load(room.slot).ending != Ending::kNone) return CauseLocked(room);
  return absl::OkStatus();
}

template <typename View>
absl::Status AttachedEngine::Push(const View& view, EntryKind kind) {
  const uint64_t bytes = EncodedBytes(view);
  if (bytes > producer_->body_bytes_max()) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("the call takes ", bytes, " bytes, more than a quarter of the ring (",
                              options_.ring_bytes,
                              " bytes): raise ring_bytes, or send smaller "
                              "chunks"));
  }
  std::byte* body = producer_->Reserve(static_cast<uint32_t>(bytes));
  if (body == nullptr) return Error(Reason::kFull, "the ring is full: poll, then try again");
  Encode(view, body);
  producer_->Commit(kind);
  if (WorkerAsleep(table_.header())) {
    uint64_t one = 1;
    (void)!write(attachment_->doorbell.get(), &one, sizeof(one));
  }
  return absl::OkStatus();
}

absl::StatusOr<RoomHandle> AttachedEngine::OpenSend(const SendRoom& room) {
  if (options_.role != Role::kPrefill) {
    return Error(Reason::kBadMessage, "OpenSend is for prefill ranks; this one decodes");
  }
  MutexLock lock(&mu_);
  absl::StatusOr<SlotRef> ref = TakeSlot();
  if (!ref.ok()) return ref.status();
  shm_abi::OpenSend open{*ref, room.room, room.total_tokens, MillisOf(room.time_left)};
  absl::Status pushed = Push(open, EntryKind::kOpenSend);
  if (pushed.ok()) return RoomHandle{ref->slot, ref->generation};
  book_.Close(ref->slot);
  book_.Free(ref->slot);
  return pushed;
}

absl::StatusOr<RoomHandle> AttachedEngine::OpenReceive(const ReceiveRoom& room) {
  return PushOpenReceive({}, room);
}

absl::StatusOr<RoomHandle> AttachedEngine::Announce(const AnnouncedRoom& room) {
  ReceiveRoom receive;
  receive.room = room.room;
  receive.prefill_server = room.prefill_server;
  receive.prefill_dp = room.prefill_dp;
  receive.policy = room.policy;
  receive.time_left = room.time_left;
  shm_abi::OpenReceive open;
  open.announced = true;
  return PushOpenReceive(std::move(open), receive);
}

absl::StatusOr<RoomHandle> AttachedEngine::PushOpenReceive(shm_abi::OpenReceive open,
                                                           const ReceiveRoom& room) {
  if (options_.role != Role::kDecode) {
    return Error(Reason::kBadMessage, "OpenReceive is for decode ranks; this one prefills");
  }
  if (room.prefill_server.empty() || room.prefix_tokens > room.total_tokens) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("prefill_server '", room.prefill_server, "', prefix_tokens ",
                              room.prefix_tokens, ", total_tokens ", room.total_tokens,
                              ": name the server, and no more prefix than total"));
  }
  open.room = room.room;
  open.prefill_dp = room.prefill_dp;
  open.tp_holder = static_cast<uint8_t>(room.policy.tp_holder);
  open.cp_holder = static_cast<uint8_t>(room.policy.cp_holder);
  open.total_tokens = room.total_tokens;
  open.prefix_tokens = room.prefix_tokens;
  open.time_left_ms = MillisOf(room.time_left);
  open.aux_row = room.aux_row;
  shm_abi::OpenReceiveView view{open, room.prefill_server, room.pages, room.state_rows};
  if (absl::Status s = CheckLimits(view); !s.ok()) return s;
  MutexLock lock(&mu_);
  absl::StatusOr<SlotRef> ref = TakeSlot();
  if (!ref.ok()) return ref.status();
  open.slot = *ref;
  absl::Status pushed = Push(view, EntryKind::kOpenReceive);
  if (pushed.ok()) return RoomHandle{ref->slot, ref->generation};
  book_.Close(ref->slot);
  book_.Free(ref->slot);
  return pushed;
}

absl::Status AttachedEngine::Provide(RoomHandle room, const RoomPages& pages) {
  if (pages.prefix_tokens > pages.total_tokens) {
    return Error(Reason::kBadMessage, absl::StrCat("prefix_tokens ", pages.prefix_tokens,
                                                   " is above total_tokens ", pages.total_tokens));
  }
  const shm_abi::Provide head{RefOf(room), pages.total_tokens, pages.prefix_tokens, {},
                              {},          pages.aux_row};
  shm_abi::ProvideView view{head, pages.pages, pages.state_rows};
  if (absl::Status s = CheckLimits(view); !s.ok()) return s;
  MutexLock lock(&mu_);
  if (absl::Status s = CheckOpen(room); !s.ok()) return s;
  if (absl::Status s = CheckAttached(); !s.ok()) return s;
  if (!PayOwed()) return Error(Reason::kFull, "the ring is full: poll, then try again");
  return Push(view, EntryKind::kProvide);
}

absl::Status AttachedEngine::Send(RoomHandle room, const Chunk& chunk) {
  if (chunk.token_begin > chunk.token_end || chunk.layer_begin > chunk.layer_end) {
    return Error(Reason::kBadChunk, "a chunk ends before it begins");
  }
  shm_abi::Send head;
  head.slot = RefOf(room);
  head.token_begin = chunk.token_begin;
  head.token_end = chunk.token_end;
  head.layer_begin = chunk.layer_begin;
  head.layer_end = chunk.layer_end;
  head.last = chunk.is_last_chunk;
  head.aux_row = chunk.aux_row;
  head.page_groups = chunk.page_groups;
  shm_abi::SendView view{head, chunk.pages, chunk.state_rows};
  if (absl::Status s = CheckLimits(view); !s.ok()) return s;
  MutexLock lock(&mu_);
  if (absl::Status s = CheckOpen(room); !s.ok()) return s;
  if (absl::Status s = CheckAttached(); !s.ok()) return s;
  if (!PayOwed()) return Error(Reason::kFull, "the ring is full: poll, then try again");
  return Push(view, EntryKind::kSend);
}

absl::Status AttachedEngine::Abort(RoomHandle room, const std::string& why) {
  MutexLock lock(&mu_);
  if (!book_.IsOpen(RefOf(room))) {
    return Error(Reason::kRoomUnknown, "the room's handle is closed");
  }
  SlotRecord& record = book_.record(room.slot);
  // Of a room whose attachment is gone nothing can be asked any more.
  if (record.abort_asked || record.attachment != attachment_number_ || !attachment_.has_value()) {
    return absl::OkStatus();
  }
  record.abort_asked = true;
  Owe(shm_abi::Abort{RefOf(room), why.substr(0, shm_abi::kAbortTextMax)});
  return absl::OkStatus();
}

void AttachedEngine::Close(RoomHandle room) {
  MutexLock lock(&mu_);
  if (!book_.IsOpen(RefOf(room))) return;
  SlotRecord& record = book_.record(room.slot);
  book_.Close(room.slot);
  if (!attachment_.has_value() || record.attachment != attachment_number_) {
    book_.Free(room.slot);
    return;
  }
  // Rooms that were given up for lost may still be open at an agent that did not answer for a
  // while.
  if (!record.abort_asked && !EndedInTable(RefOf(room))) {
    Owe(shm_abi::Abort{RefOf(room), "closed by the engine"});
  }
  Owe(shm_abi::Close{RefOf(room)});
}

void AttachedEngine::Owe(Owed owed) {
  owed_.push_back(std::move(owed));
  PayOwed();
}

bool AttachedEngine::PayOwed() {
  while (!owed_.empty()) {
    if (!PushOwed(owed_.front()).ok()) return false;
    SettleOwed(owed_.front());
    owed_.pop_front();
  }
  return true;
}

absl::Status AttachedEngine::PushOwed(const Owed& owed) {
  if (auto* close = std::get_if<shm_abi::Close>(&owed)) return Push(*close, EntryKind::kClose);
  if (auto* forget = std::get_if<shm_abi::ForgetPeer>(&owed)) {
    return Push(*forget, EntryKind::kForgetPeer);
  }
  if (auto* watch = std::get_if<shm_abi::WatchPeer>(&owed)) {
    return Push(shm_abi::WatchPeerView{watch->peer, watch->server}, EntryKind::kWatchPeer);
  }
  const auto& abort = std::get<shm_abi::Abort>(owed);
  return Push(shm_abi::AbortView{abort.slot, abort.why}, EntryKind::kAbort);
}

// The agent reads a Close before anything that the slot's next room may say, and so with peers.
void AttachedEngine::SettleOwed(const Owed& owed) {
  if (auto* close = std::get_if<shm_abi::Close>(&owed)) book_.Free(close->slot.slot);
  if (auto* forget = std::get_if<shm_abi::ForgetPeer>(&owed)) peers_.Free(forget->peer.peer);
}

}  // namespace baton
