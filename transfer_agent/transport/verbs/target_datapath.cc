#include "transfer_agent/transport/verbs/target_datapath.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "planner/cursor.h"

namespace baton::transport::verbs {

absl::Status TargetDatapath::Open(const Window& window, const LocalMemory* memory) {
  if (window.offer.generation > kGenerationMask) {
    return absl::InvalidArgumentError(
        absl::StrCat("window generation ", window.offer.generation, " is above 1023"));
  }
  if (window.plan == nullptr) return absl::InvalidArgumentError("window without a plan");
  auto [it, fresh] = windows_.try_emplace({window.peer, window.offer});
  if (!fresh) {
    return absl::AlreadyExistsError(absl::StrCat("window ", window.offer.slot, "/",
                                                 window.offer.generation, " is open already"));
  }
  it->second.memory = memory;
  it->second.bytes = planner::RoomBytes(*window.plan, window.tokens, window.pages.state_rows);
  return absl::OkStatus();
}

bool TargetDatapath::Close(PeerId peer, OfferId offer) { return windows_.erase({peer, offer}) > 0; }

uint64_t TargetDatapath::RoomBytes(PeerId peer, OfferId offer) const {
  auto it = windows_.find({peer, offer});
  return it == windows_.end() ? 0 : it->second.bytes;
}

std::vector<OfferId> TargetDatapath::OffersOf(PeerId peer) const {
  std::vector<OfferId> offers;
  for (const auto& [key, awaited] : windows_) {
    if (key.first == peer) offers.push_back(key.second);
  }
  return offers;
}

bool TargetDatapath::Awaits(PeerId peer) const {
  return std::any_of(windows_.begin(), windows_.end(),
                     [peer](const auto& w) { return w.first.first == peer; });
}

const LocalMemory* TargetDatapath::MemoryOf(PeerId peer, OfferId offer) const {
  auto it = windows_.find({peer, offer});
  return it == windows_.end() ? nullptr : it->second.memory;
}

const LocalMemory* TargetDatapath::OnImmediate(ChannelId channel, PeerId peer, uint32_t queue_pair,
                                               uint32_t queue_pairs, PartImmediate immediate) {
  auto it = windows_.find({peer, immediate.offer});
  if (it == windows_.end()) {
    ++counters_->stale_dropped;
    return nullptr;
  }
  Awaited& awaited = it->second;
  const uint64_t bit = uint64_t{1} << immediate.part;
  if ((awaited.done & bit) != 0) return nullptr;
  auto part = std::find_if(awaited.parts.begin(), awaited.parts.end(),
                           [&](const Part& p) { return p.number == immediate.part; });
  if (part == awaited.parts.end()) {
    part = awaited.parts.insert(part, {.number = immediate.part, .channel = channel});
  }
  // Another attempt, over another channel: what closed the one before it counts no more.
  if (part->channel != channel) *part = {.number = immediate.part, .channel = channel};
  part->closed |= 1u << queue_pair;
  if (part->closed != (1u << queue_pairs) - 1) return nullptr;
  awaited.done |= bit;
  awaited.parts.erase(part);
  return awaited.memory;
}

}  // namespace baton::transport::verbs
