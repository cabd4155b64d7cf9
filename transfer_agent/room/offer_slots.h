// Wire names of offers towards one peer. A slot comes back only after its window was fenced, and
// goes out again oldest first under its next generation, so that a stray frame or immediate of an
// old offer finds no window.
#ifndef BATON_TRANSFER_AGENT_ROOM_OFFER_SLOTS_H_
#define BATON_TRANSFER_AGENT_ROOM_OFFER_SLOTS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "transfer_agent/transport/transport.h"

namespace baton::room {

// Thread-compatible.
class OfferSlots {
 public:
  explicit OfferSlots(uint32_t slots_max = 65536) : slots_max_(slots_max) {}

  // Nullopt when all are out.
  std::optional<transport::OfferId> Acquire() {
    // New slots first, up to a cushion: it keeps the distance between two uses of a slot long.
    if (generations_.size() < slots_max_ && free_.size() < kCushion) {
      generations_.push_back(0);
      return transport::OfferId{static_cast<uint16_t>(generations_.size() - 1), 0};
    }
    if (free_.empty()) return std::nullopt;
    uint16_t slot = free_.front();
    free_.pop_front();
    generations_[slot] = (generations_[slot] + 1) & transport::kGenerationMask;
    return transport::OfferId{slot, generations_[slot]};
  }

  void Release(transport::OfferId offer) { free_.push_back(offer.slot); }

 private:
  static constexpr size_t kCushion = 256;
  uint32_t slots_max_;
  std::vector<uint16_t> generations_;
  std::deque<uint16_t> free_;
};

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_OFFER_SLOTS_H_
