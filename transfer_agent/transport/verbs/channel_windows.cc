#include "transfer_agent/transport/verbs/channel_windows.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

// The next send of the queue pair, which has a place for it; rings when the chain is full.
absl::StatusOr<ibv_send_wr*> Next(QueuePair* qp) {
  if (!qp->CanAdd()) {
    if (absl::Status status = qp->Ring(); !status.ok()) return status;
  }
  if (!qp->CanAdd()) {
    return Error(Reason::kFull, absl::StrCat("verbs ", qp->rail().name(),
                                             ": no place in the send queue for memory windows"));
  }
  ibv_send_wr* wr = &qp->Add();
  qp->sends().Charge(nullptr, 0);
  return wr;
}

}  // namespace

ChannelWindows::ChannelWindows(absl::Span<const std::unique_ptr<QueuePair>> queue_pairs) {
  for (const auto& qp : queue_pairs) queue_pairs_.push_back(qp.get());
}

absl::StatusOr<std::unique_ptr<ChannelWindows>> ChannelWindows::Bind(
    absl::Span<const std::unique_ptr<QueuePair>> queue_pairs,
    absl::Span<const LocalMemory* const> memories) {
  std::unique_ptr<ChannelWindows> windows(new ChannelWindows(queue_pairs));
  for (const LocalMemory* memory : memories) {
    for (size_t q = 0; q < queue_pairs.size(); ++q) {
      for (const LocalMemory::Piece& piece : memory->Pieces(queue_pairs[q]->rail().index())) {
        if (absl::Status status = windows->Add(memory, q, piece); !status.ok()) return status;
      }
    }
  }
  for (const auto& qp : queue_pairs) {
    if (absl::Status status = qp->Ring(); !status.ok()) return status;
  }
  return windows;
}

absl::Status ChannelWindows::Add(const LocalMemory* memory, size_t queue_pair,
                                 const LocalMemory::Piece& piece) {
  QueuePair* qp = queue_pairs_[queue_pair];
  const Rail& rail = qp->rail();
  ibv_mw* window = rail.provider().AllocWindow(rail.pd());
  if (window == nullptr) {
    return Error(Reason::kFull, absl::StrCat("verbs ", rail.name(), ": alloc_mw after ",
                                             windows_.size(), ": ", std::strerror(errno)));
  }
  // A window of type 2 takes each time a key that it did not have last.
  const uint32_t key = ibv_inc_rkey(window->rkey);
  windows_.push_back({.memory = memory, .queue_pair = queue_pair, .window = window, .key = key});
  absl::StatusOr<ibv_send_wr*> wr = Next(qp);
  if (!wr.ok()) return wr.status();
  (*wr)->opcode = IBV_WR_BIND_MW;
  (*wr)->bind_mw.mw = window;
  (*wr)->bind_mw.rkey = key;
  (*wr)->bind_mw.bind_info = {.mr = piece.mr,
                              .addr = piece.offset,
                              .length = piece.length,
                              .mw_access_flags = IBV_ACCESS_REMOTE_WRITE};
  return absl::OkStatus();
}

void ChannelWindows::Free(const Window& window) const {
  const Rail& rail = queue_pairs_[window.queue_pair]->rail();
  const int error = rail.provider().FreeWindow(window.window);
  if (error != 0) LOG(ERROR) << "verbs " << rail.name() << ": dealloc_mw: " << std::strerror(error);
}

ChannelWindows::~ChannelWindows() {
  for (const Window& window : windows_) Free(window);
}

std::vector<RemoteMemory> ChannelWindows::Keys() const {
  std::vector<RemoteMemory> keys;
  const size_t columns = queue_pairs_.size();
  for (size_t at = 0; at < windows_.size();) {
    const LocalMemory* memory = windows_[at].memory;
    std::vector<RemoteMemory::Region> regions = memory->Shape();
    for (size_t q = 0; q < columns; ++q) {
      for (RemoteMemory::Region& region : regions) {
        const uint64_t pieces =
            region.size / region.piece_bytes + (region.size % region.piece_bytes != 0);
        region.keys.resize(pieces * columns);
        for (uint64_t piece = 0; piece < pieces; ++piece) {
          region.keys[piece * columns + q] = windows_[at++].key;
        }
      }
    }
    keys.emplace_back(static_cast<uint32_t>(columns), std::move(regions), memory->windows());
  }
  return keys;
}

absl::Status ChannelWindows::Invalidate() {
  if (invalidating()) return absl::OkStatus();
  ends_.assign(queue_pairs_.size(), UINT64_MAX);
  for (const Window& window : windows_) {
    absl::StatusOr<ibv_send_wr*> wr = Next(queue_pairs_[window.queue_pair]);
    if (!wr.ok()) return wr.status();
    (*wr)->opcode = IBV_WR_LOCAL_INV;
    (*wr)->invalidate_rkey = window.key;
  }
  for (size_t q = 0; q < queue_pairs_.size(); ++q) {
    if (absl::Status status = queue_pairs_[q]->Ring(); !status.ok()) return status;
    ends_[q] = queue_pairs_[q]->sends().added();
  }
  return absl::OkStatus();
}

bool ChannelWindows::invalidated() const {
  if (!invalidating()) return false;
  for (size_t q = 0; q < queue_pairs_.size(); ++q) {
    if (queue_pairs_[q]->sends().completed() < ends_[q]) return false;
  }
  return true;
}

void ChannelWindows::Forget(const LocalMemory* memory) {
  std::erase_if(windows_, [&](const Window& window) {
    if (window.memory != memory) return false;
    Free(window);
    return true;
  });
}

}  // namespace baton::transport::verbs
