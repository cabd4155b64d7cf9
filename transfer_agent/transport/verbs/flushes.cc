// Parts and fences of GPU memory: told of when the memory was read back (flusher.h).
#include <algorithm>

#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {

void VerbsTransport::OnPartDone(const Channel& channel, const Flusher::Waiting& part,
                                const LocalMemory& memory) {
  if (!memory.needs_flush()) {
    return events_.Part(part.channel, part.peer, part.offer, part.part, kBytesUnknown);
  }
  std::vector<size_t> rails;
  for (const auto& qp : channel.queue_pairs) {
    if (std::find(rails.begin(), rails.end(), qp->rail_index) == rails.end()) {
      rails.push_back(qp->rail_index);
    }
  }
  flusher_.Start(memory, rails, part);
}

bool VerbsTransport::EndFence(PeerId peer, OfferId offer) {
  auto fence = std::find_if(fences_.begin(), fences_.end(), [&](const PendingFence& f) {
    return f.peer == peer && f.offer == offer;
  });
  if (fence == fences_.end()) return false;
  const LocalMemory* memory = fence->memory;
  fences_.erase(fence);
  std::vector<size_t> rails;
  for (size_t i = 0; i < rails_.size(); ++i) {
    if (rails_[i]->works()) rails.push_back(i);
  }
  if (memory == nullptr || !memory->needs_flush() || rails.empty()) {
    events_.Fenced(peer, offer);
  } else {
    // What the adapter has taken may still be on its way over the bus.
    flusher_.Start(*memory, rails,
                   {.is_part = false, .channel = {}, .peer = peer, .offer = offer, .part = 0});
  }
  return true;
}

void VerbsTransport::OnFlushed(const Flusher::Waiting& waiting, const absl::Status& status) {
  if (!waiting.is_part) {
    // If it failed, no rail is left that could bring anything.
    events_.Fenced(waiting.peer, waiting.offer);
  } else if (status.ok()) {
    events_.Part(waiting.channel, waiting.peer, waiting.offer, waiting.part, kBytesUnknown);
  } else {
    events_.WindowBroken(waiting.peer, waiting.offer, status);
  }
  look_at_clock_ = true;
}

absl::StatusOr<Flusher::Place> VerbsTransport::TakeLoopPlace(size_t rail) {
  absl::StatusOr<uint16_t> place = places_.Take();
  if (!place.ok()) return place.status();
  places_[*place].index = static_cast<uint32_t>(rail);
  places_[*place].loop = true;
  return Flusher::Place{*place, places_[*place].generation};
}

}  // namespace baton::transport::verbs
