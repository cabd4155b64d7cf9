#include "transfer_agent/transport/stream/window_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport {

PartProgress* OpenedWindow::Part(uint32_t part) {
  for (auto& [number, progress] : parts) {
    if (number == part) return progress.get();
  }
  parts.emplace_back(part, std::make_unique<PartProgress>());
  return parts.back().second.get();
}

absl::Status WindowTable::Open(Window window, const MemoryTable& memories) {
  if (window.offer.generation > kGenerationMask) {
    return absl::InvalidArgumentError(
        absl::StrCat("window generation ", window.offer.generation, " is above 1023"));
  }
  if (window.plan == nullptr) return absl::InvalidArgumentError("window without a plan");
  const Memory* memory = memories.Find(window.memory);
  if (memory == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("window on memory ", window.memory.value(), ", which is not exported"));
  }
  auto [it, fresh] = windows_.try_emplace({window.peer, window.offer});
  if (!fresh) {
    return absl::AlreadyExistsError(absl::StrCat("window ", window.offer.slot, "/",
                                                 window.offer.generation, " is open already"));
  }
  it->second = std::make_unique<OpenedWindow>();
  it->second->bytes_max = planner::RoomBytes(*window.plan, window.tokens, window.pages.state_rows);
  it->second->window = std::move(window);
  it->second->memory = memory;
  return absl::OkStatus();
}

OpenedWindow* WindowTable::Find(PeerId peer, OfferId offer) {
  auto it = windows_.find({peer, offer});
  return it == windows_.end() ? nullptr : it->second.get();
}

std::unique_ptr<OpenedWindow> WindowTable::Take(PeerId peer, OfferId offer) {
  auto node = windows_.extract({peer, offer});
  return node.empty() ? nullptr : std::move(node.mapped());
}

std::vector<OfferId> WindowTable::OffersOf(PeerId peer) const {
  std::vector<OfferId> offers;
  for (const auto& [key, window] : windows_) {
    if (key.first == peer) offers.push_back(key.second);
  }
  return offers;
}

}  // namespace baton::transport
