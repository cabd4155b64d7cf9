#include "transfer_agent/worker/held_offers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/worker/room_index.h"

namespace baton::worker {
namespace {

// Of the room, its entries in the indexes, and what stands in them on the heap.
constexpr uint64_t kRoomBytes = sizeof(RoomEntry<room::SourceRoom>) + 512;

}  // namespace

uint64_t HeldOffers::BytesOf(const room::TargetLeg& leg) {
  uint64_t bytes = kRoomBytes + sizeof(room::TargetLeg);
  for (const std::vector<int32_t>& list : leg.pages) {
    bytes += sizeof(std::vector<int32_t>) + list.capacity() * sizeof(int32_t);
  }
  return bytes + leg.state_rows.capacity() * sizeof(uint32_t);
}

absl::Status HeldOffers::Check(transport::PeerId peer, uint64_t bytes) const {
  if (offers_.MayTake(peer, 1) && bytes_.MayTake(peer, bytes)) return absl::OkStatus();
  return Error(
      Reason::kFull,
      absl::StrCat(
          "open rooms at prefill before decode does, or at the same time: offers that wait "
          "for that here are ",
          offers_.Of(peer), " (", bytes_.Of(peer) >> 10, " KiB) of this target's agent, ",
          offers_.used(), " (", bytes_.used() >> 10, " KiB) in all, at most ", offers_max_, " (",
          bytes_max_ >> 10, " KiB)"));
}

absl::Status HeldOffers::Add(RoomSerial room, attach::AttachmentId rank, transport::PeerId peer,
                             uint64_t bytes) {
  if (absl::Status full = Check(peer, bytes); !full.ok()) return full;
  auto [it, added] = rooms_.try_emplace(room, Room{rank, {}});
  if (added) ++rooms_of_[rank];
  it->second.claims.push_back({peer, bytes});
  offers_.Take(peer, 1);
  bytes_.Take(peer, bytes);
  return absl::OkStatus();
}

void HeldOffers::GiveBack(const Claim& claim) {
  offers_.Give(claim.peer, 1);
  bytes_.Give(claim.peer, claim.bytes);
}

void HeldOffers::Remove(RoomSerial room) {
  auto it = rooms_.find(room);
  if (it == rooms_.end()) return;
  for (const Claim& claim : it->second.claims) GiveBack(claim);
  auto of = rooms_of_.find(it->second.rank);
  if (--of->second == 0) rooms_of_.erase(of);
  rooms_.erase(it);
}

std::vector<RoomSerial> HeldOffers::ForgetPeer(transport::PeerId peer) {
  std::vector<RoomSerial> orphans;
  if (offers_.Of(peer) == 0) return orphans;
  for (auto& [room, held] : rooms_) {
    std::vector<Claim>& claims = held.claims;
    const auto gone = std::stable_partition(claims.begin(), claims.end(),
                                            [peer](const Claim& c) { return c.peer != peer; });
    if (gone == claims.end()) continue;
    std::for_each(gone, claims.end(), [this](const Claim& c) { GiveBack(c); });
    claims.erase(gone, claims.end());
    if (claims.empty()) orphans.push_back(room);
  }
  std::sort(orphans.begin(), orphans.end());
  return orphans;
}

}  // namespace baton::worker
