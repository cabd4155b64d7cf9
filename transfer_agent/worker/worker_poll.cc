// A worker's progress: rings, transports, deadlines.
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/worker/rank_table.h"
#include "transfer_agent/worker/transport_events.h"
#include "transfer_agent/worker/worker_core.h"

namespace baton::worker {

bool WorkerCore::Poll(TimePoint now) {
  bool worked = false;
  for (auto& [id, rank] : context_.ranks) {
    if (!rank->leaving) worked |= ReadRing(*rank, now);
  }
  for (const auto& events : events_) worked |= events->Poll(now);
  worked |= source_.Pump(now);
  while (auto due = context_.deadlines.PopDue(now)) {
    // Sides number their rooms apart: odd targets, even sources.
    if (*due % 2 == 1) {
      target_.OnDeadline(*due, now);
    } else {
      source_.OnDeadline(*due, now);
    }
    worked = true;
  }
  SweepRanks();
  return worked;
}

bool WorkerCore::ReadRing(HostedRank& rank, TimePoint now) {
  // Bounded, so that one busy engine does not starve the others' transports.
  constexpr int kCommandsMax = 32;
  for (int i = 0; i < kCommandsMax; ++i) {
    auto command = rank.attached->ring->Next();
    if (!command.ok()) {
      Detach(rank, command.status());
      return true;
    }
    if (!command->has_value()) return i > 0;
    Run(rank, *std::move(*command), now);
    if (rank.leaving) return true;
  }
  return true;
}

bool WorkerCore::RunPeer(HostedRank& rank, const shm_abi::Command& command) {
  const auto* watch = std::get_if<shm_abi::WatchPeer>(&command);
  const auto* forget = std::get_if<shm_abi::ForgetPeer>(&command);
  if (watch == nullptr && forget == nullptr) return false;
  const uint32_t peer = watch != nullptr ? watch->peer.peer : forget->peer.peer;
  const uint32_t peers = rank.attached->table->peers();
  if (peer >= peers) {
    Detach(rank,
           Error(Reason::kBadMessage, absl::StrCat("peer ", peer, " of ", peers), rank.ref()));
  } else if (watch != nullptr) {
    peers_.Watch(rank, *watch);
  } else {
    peers_.Forget(rank, *forget);
  }
  return true;
}

void WorkerCore::Run(HostedRank& rank, shm_abi::Command command, TimePoint now) {
  if (RunPeer(rank, command)) return;
  const shm_abi::SlotRef slot = shm_abi::SlotOf(command);
  if (slot.slot >= rank.attached->table->slots()) {
    return Detach(
        rank,
        Error(Reason::kBadMessage,
              absl::StrCat("slot ", slot.slot, " of ", rank.attached->table->slots()), rank.ref()));
  }
  const bool opens = std::holds_alternative<shm_abi::OpenSend>(command) ||
                     std::holds_alternative<shm_abi::OpenReceive>(command);
  if (opens && (source_.rooms().SlotInUse(rank.attached->id, slot.slot) ||
                target_.rooms().SlotInUse(rank.attached->id, slot.slot))) {
    return Detach(rank, Error(Reason::kBadMessage,
                              absl::StrCat("slot ", slot.slot, " is in use already"), rank.ref()));
  }
  RunRoom(rank, slot, std::move(command), now);
}

void WorkerCore::RunRoom(HostedRank& rank, const shm_abi::SlotRef& slot, shm_abi::Command command,
                         TimePoint now) {
  if (auto* open = std::get_if<shm_abi::OpenSend>(&command)) {
    source_.Open(rank, *open, now);
  } else if (auto* receive = std::get_if<shm_abi::OpenReceive>(&command)) {
    target_.Open(rank, std::move(*receive), now);
  } else if (auto* provide = std::get_if<shm_abi::Provide>(&command)) {
    target_.Provide(rank, std::move(*provide), now);
  } else if (auto* send = std::get_if<shm_abi::Send>(&command)) {
    source_.Send(rank, std::move(*send), now);
  } else if (auto* abort = std::get_if<shm_abi::Abort>(&command)) {
    if (!source_.Abort(rank, slot, abort->why, now)) target_.Abort(rank, slot, abort->why, now);
  } else if (std::holds_alternative<shm_abi::Close>(command)) {
    if (!source_.Close(rank, slot, now)) target_.Close(rank, slot, now);
  }
}

void WorkerCore::Detach(HostedRank& rank, const absl::Status& cause) {
  LOG(ERROR) << ToString(rank.ref())
             << ": its engine broke the ring's rules and is detached: " << cause;
  rank.accepting = false;
  context_.outbox->Detach(rank.attached->id);
}

void WorkerCore::LetGo(AttachmentId id, const absl::Status& cause) {
  auto it = context_.ranks.find(id);
  if (it == context_.ranks.end() || it->second->leaving) return;
  LOG(ERROR) << ToString(it->second->ref()) << ": its engine is let go: " << cause;
  it->second->accepting = false;
  context_.outbox->Detach(id);
}

void WorkerCore::Heartbeat() {
  for (auto& [id, rank] : context_.ranks) rank->attached->table->Heartbeat();
  context_.RefreshGauges();
}

void WorkerCore::SetAsleep(bool asleep) {
  for (auto& [id, rank] : context_.ranks) rank->attached->table->SetAsleep(asleep);
}

bool WorkerCore::RingsEmpty() const {
  for (const auto& [id, rank] : context_.ranks) {
    if (!rank->leaving && !rank->attached->ring->Empty()) return false;
  }
  return true;
}

std::vector<std::pair<AttachmentId, int>> WorkerCore::Doorbells() const {
  std::vector<std::pair<AttachmentId, int>> doorbells;
  for (const auto& [id, rank] : context_.ranks) {
    if (!rank->leaving) doorbells.emplace_back(id, rank->attached->doorbell.get());
  }
  return doorbells;
}

}  // namespace baton::worker
