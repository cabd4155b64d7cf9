#include "transfer_agent/worker/remote_ranks.h"

#include <algorithm>
#include <set>
#include <utility>

namespace baton::worker {
namespace {

// A larger incarnation is a later start; of equal ones, another epoch is a later agent's.
bool Replaces(const RemoteRank& later, const RemoteRank& used) {
  if (later.incarnation != used.incarnation) return later.incarnation > used.incarnation;
  return later.epoch != used.epoch;
}

}  // namespace

void RemoteRanks::Announce(transport::PeerId peer, const Announced& ranks,
                           absl::FunctionRef<void(const RemoteRank&)> forget) {
  std::set<RankRef> touched;
  std::vector<RankRef>& mine = of_peer_[peer];
  for (const RankRef& ref : mine) {
    Slot& slot = slots_[ref];
    std::erase_if(slot.all, [&](const auto& rank) {
      if (rank->peer != peer) return false;
      if (rank != slot.used) forget(*rank);
      return true;
    });
    touched.insert(ref);
  }
  mine.clear();
  for (const auto& rank : ranks) {
    slots_[rank->rank].all.push_back(rank);
    mine.push_back(rank->rank);
    touched.insert(rank->rank);
  }
  if (mine.empty()) of_peer_.erase(peer);
  for (const RankRef& ref : touched) {
    auto it = slots_.find(ref);
    Choose(it->second, forget);
    if (it->second.all.empty()) slots_.erase(it);
  }
}

void RemoteRanks::Choose(Slot& slot, absl::FunctionRef<void(const RemoteRank&)> forget) {
  const bool gone = std::find(slot.all.begin(), slot.all.end(), slot.used) == slot.all.end();
  std::shared_ptr<const RemoteRank> best = gone ? nullptr : slot.used;
  for (const auto& rank : slot.all) {
    if (best == nullptr || Replaces(*rank, *best)) best = rank;
  }
  if (slot.used != nullptr && best != slot.used) forget(*slot.used);
  slot.used = std::move(best);
}

std::shared_ptr<const RemoteRank> RemoteRanks::Find(const RankRef& ref) const {
  auto it = slots_.find(ref);
  return it == slots_.end() ? nullptr : it->second.used;
}

std::shared_ptr<const RemoteRank> RemoteRanks::FindFrom(transport::PeerId peer,
                                                        const RankRef& ref) const {
  return FindIf(ref, [peer](const RemoteRank& rank) { return rank.peer == peer; });
}

std::shared_ptr<const RemoteRank> RemoteRanks::FindIf(
    const RankRef& ref, absl::FunctionRef<bool(const RemoteRank&)> fits) const {
  auto it = slots_.find(ref);
  if (it == slots_.end()) return nullptr;
  for (const auto& rank : it->second.all) {
    if (fits(*rank)) return rank;
  }
  return nullptr;
}

void RemoteRanks::ForEach(absl::FunctionRef<void(const RemoteRank&)> visit) const {
  for (const auto& [ref, slot] : slots_) {
    for (const auto& rank : slot.all) visit(*rank);
  }
}

}  // namespace baton::worker
