#include "transfer_agent/transport/verbs/fences.h"

#include <algorithm>

namespace baton::transport::verbs {

void Fences::Ask(const Fence& fence) { open_.push_back({.fence = fence}); }

std::optional<Fences::Fence> Fences::Answer(PeerId peer, OfferId offer) {
  std::optional<Fence> ended;
  for (Open& open : open_) {
    if (open.fence.peer != peer || open.fence.offer != offer) continue;
    if (open.machine.state() != FenceState::kOwed) ended = open.fence;
    open.machine.Advance(FenceEvent::kAnswered);
  }
  EraseOver();
  return ended;
}

void Fences::GiveUp(PeerId peer) {
  for (Open& open : open_) {
    if (open.fence.peer != peer) continue;
    open.gone = true;
    open.late_at = TimePoint();
    const FenceEvent event =
        open.machine.state() == FenceState::kOwed ? FenceEvent::kGone : FenceEvent::kLate;
    if (open.machine.CanAdvance(event)) open.machine.Advance(event);
  }
  EraseOver();
}

std::vector<PeerId> Fences::Late(TimePoint now) {
  std::vector<PeerId> late;
  for (Open& open : open_) {
    if (!open.late_at.has_value()) open.late_at = now + answer_;
    if (open.machine.state() == FenceState::kAsked && *open.late_at <= now) {
      open.machine.Advance(FenceEvent::kLate);
    }
    const FenceState state = open.machine.state();
    if (state != FenceState::kRevoking && state != FenceState::kResetting) continue;
    if (!open.revoked_at.has_value()) open.revoked_at = now + revoke_;
    if (std::find(late.begin(), late.end(), open.fence.peer) == late.end()) {
      late.push_back(open.fence.peer);
    }
  }
  return late;
}

bool Fences::Revoked(PeerId peer, bool all, TimePoint now) {
  bool any = false;
  for (Open& open : open_) {
    if (open.fence.peer != peer) continue;
    if (open.machine.state() == FenceState::kRevoking && (all || open.revoked_at <= now)) {
      open.machine.Advance(FenceEvent::kRevoked);
    }
    any |= open.machine.state() == FenceState::kResetting;
  }
  return any;
}

std::vector<Fences::Fence> Fences::Reset(PeerId peer) {
  std::vector<Fence> fenced;
  for (Open& open : open_) {
    if (open.fence.peer != peer || open.machine.state() != FenceState::kResetting) continue;
    fenced.push_back(open.fence);
    open.machine.Advance(FenceEvent::kReset);
    if (open.gone) open.machine.Advance(FenceEvent::kGone);
  }
  EraseOver();
  return fenced;
}

void Fences::EraseOver() {
  std::erase_if(open_, [](const Open& open) { return open.machine.state() == FenceState::kOver; });
}

bool Fences::Pending(PeerId peer) const {
  return std::any_of(open_.begin(), open_.end(), [peer](const Open& open) {
    return open.fence.peer == peer && open.machine.state() != FenceState::kOwed;
  });
}

bool Fences::Owes(PeerId peer) const {
  return std::any_of(open_.begin(), open_.end(), [peer](const Open& open) {
    return open.fence.peer == peer && open.machine.state() == FenceState::kOwed;
  });
}

std::optional<TimePoint> Fences::NextDue() const {
  std::optional<TimePoint> next;
  for (const Open& open : open_) {
    if (open.machine.state() == FenceState::kOwed || !open.late_at.has_value()) continue;
    if (!next.has_value() || *open.late_at < *next) next = open.late_at;
  }
  return next;
}

std::vector<ChannelId> Fences::TakeRetired(uint64_t told) {
  std::vector<ChannelId> taken;
  std::erase_if(retired_, [&](const auto& retired) {
    if (retired.second > told) return false;
    taken.push_back(retired.first);
    return true;
  });
  return taken;
}

}  // namespace baton::transport::verbs
