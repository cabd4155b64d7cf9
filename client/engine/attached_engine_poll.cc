// Reading rooms. Poll and BytesMoved take no lock, make no system call and allocate nothing.
#include "absl/strings/str_cat.h"
#include "client/engine/attached_engine.h"
#include "common/reason.h"

namespace baton {
namespace {

using shm_abi::RoomState;
using shm_abi::RoomWord;

RoomPhase PhaseOf(RoomState state) {
  switch (state) {
    case RoomState::kFree:
    case RoomState::kOpen:
      return RoomPhase::kOpen;
    case RoomState::kOffered:
      return RoomPhase::kOffered;
    case RoomState::kDone:
      return RoomPhase::kDone;
    case RoomState::kFailed:
      return RoomPhase::kFailed;
  }
  return RoomPhase::kOpen;  // a number of a newer agent
}

RoomPhase PhaseOf(Ending ending) {
  switch (ending) {
    case Ending::kNone:
      return RoomPhase::kOpen;
    case Ending::kDone:
      return RoomPhase::kDone;
    case Ending::kFailed:
      return RoomPhase::kFailed;
    case Ending::kLost:
      return RoomPhase::kAgentLost;
  }
  return RoomPhase::kAgentLost;
}

bool Ended(RoomWord word) {
  return word.state == RoomState::kDone || word.state == RoomState::kFailed;
}

}  // namespace

RoomStatus AttachedEngine::Poll(RoomHandle room) const {
  RoomStatus status;
  if (room.slot >= book_.slots()) return status;
  const LocalWord local = book_.Load(room.slot);
  if (!local.open || local.generation != room.generation) return status;
  const shm_abi::TableSlot& row = table_.row(room.slot);
  RoomWord word = RoomWord::Unpack(row.word.load(std::memory_order_acquire));
  // The agent has not come to the room's opening yet: the word is of an earlier room.
  if (word.generation != room.generation) word = {room.generation, RoomState::kOpen, false};
  status.released = local.released || (Ended(word) && word.released);
  if (local.ending == Ending::kNone) {
    status.phase = PhaseOf(word.state);
    if (word.state >= RoomState::kOffered) {
      status.prefix_tokens = row.prefix_tokens.load(std::memory_order_acquire);
    }
    status.source_complete = word.source_complete;
    if (word.source_complete) {
      status.source_tokens = row.source_tokens.load(std::memory_order_acquire);
    }
  } else {
    status.phase = PhaseOf(local.ending);
    const SlotRecord& record = book_.record(room.slot);
    status.prefix_tokens = record.prefix_tokens.load(std::memory_order_acquire);
  }
  // Closed and perhaps opened anew beside us: what was read is of no room of the caller's.
  if (book_.Load(room.slot).generation != room.generation) return RoomStatus();
  return status;
}

uint64_t AttachedEngine::BytesMoved(RoomHandle room) const {
  if (room.slot >= book_.slots()) return 0;
  const LocalWord local = book_.Load(room.slot);
  if (!local.open || local.generation != room.generation) return 0;
  if (local.ending != Ending::kNone) {
    return book_.record(room.slot).bytes.load(std::memory_order_acquire);
  }
  const shm_abi::TableSlot& row = table_.row(room.slot);
  RoomWord word = RoomWord::Unpack(row.word.load(std::memory_order_acquire));
  if (word.generation != room.generation) return 0;
  uint64_t bytes = row.bytes.load(std::memory_order_acquire);
  return book_.Load(room.slot).generation == room.generation ? bytes : 0;
}

// The lock keeps the slot from being closed and opened anew, and so its text from being rewritten,
// while we copy it.
absl::Status AttachedEngine::Cause(RoomHandle room) const {
  MutexLock lock(&mu_);
  if (!book_.IsOpen(RefOf(room))) return absl::OkStatus();
  return CauseLocked(room);
}

absl::Status AttachedEngine::CauseLocked(RoomHandle room) const {
  const LocalWord local = book_.Load(room.slot);
  if (local.ending == Ending::kDone) return absl::OkStatus();
  if (local.ending != Ending::kNone) return book_.record(room.slot).cause;
  const shm_abi::TableSlot& row = table_.row(room.slot);
  RoomWord word = RoomWord::Unpack(row.word.load(std::memory_order_acquire));
  if (word.generation != room.generation || word.state != RoomState::kFailed) {
    return absl::OkStatus();
  }
  return shm_abi::LoadCause(row);
}

bool AttachedEngine::EndedInTable(shm_abi::SlotRef ref) const {
  const shm_abi::TableSlot& row = table_.row(ref.slot);
  RoomWord word = RoomWord::Unpack(row.word.load(std::memory_order_acquire));
  return word.generation == ref.generation && Ended(word);
}

// --- what becomes of rooms when the table stops speaking

void AttachedEngine::LoseRooms(const std::string& why) {
  lost_why_ = why;
  for (uint32_t slot = 0; slot < book_.slots(); ++slot) {
    LocalWord local = book_.Load(slot);
    SlotRecord& record = book_.record(slot);
    if (!local.open || local.ending != Ending::kNone || record.attachment != attachment_number_) {
      continue;
    }
    if (EndedInTable({slot, local.generation})) continue;
    record.cause = Error(Reason::kAgentLost, why, rank_);
    record.bytes.store(table_.row(slot).bytes.load(std::memory_order_relaxed));
    local.ending = Ending::kLost;
    book_.Store(slot, local);
  }
}

void AttachedEngine::KeepEndings() {
  for (uint32_t slot = 0; slot < book_.slots(); ++slot) {
    LocalWord local = book_.Load(slot);
    SlotRecord& record = book_.record(slot);
    if (!local.open || record.attachment != attachment_number_) continue;
    const shm_abi::TableSlot& row = table_.row(slot);
    RoomWord word = RoomWord::Unpack(row.word.load(std::memory_order_acquire));
    if (word.generation != local.generation || !Ended(word)) continue;
    if (local.ending == Ending::kNone) {
      bool failed = word.state == RoomState::kFailed;
      if (failed) record.cause = shm_abi::LoadCause(row);
      record.prefix_tokens.store(row.prefix_tokens.load(std::memory_order_relaxed));
      record.bytes.store(row.bytes.load(std::memory_order_relaxed));
      local.ending = failed ? Ending::kFailed : Ending::kDone;
    }
    local.released = local.released || word.released;
    book_.Store(slot, local);
  }
}

void AttachedEngine::ReleaseRooms(uint64_t attachment) {
  for (uint32_t slot = 0; slot < book_.slots(); ++slot) {
    LocalWord local = book_.Load(slot);
    if (!local.open || book_.record(slot).attachment != attachment) continue;
    local.released = true;
    book_.Store(slot, local);
  }
}

void AttachedEngine::AbortLostRooms() {
  for (uint32_t slot = 0; slot < book_.slots(); ++slot) {
    LocalWord local = book_.Load(slot);
    SlotRecord& record = book_.record(slot);
    bool ours = local.open && record.attachment == attachment_number_;
    if (!ours || local.ending != Ending::kLost || record.abort_asked) continue;
    record.abort_asked = true;
    Owe(shm_abi::Abort{{slot, local.generation}, "the agent did not answer for a while"});
  }
}

}  // namespace baton
