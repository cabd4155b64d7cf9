// What really happened in a history of a group, and what its log may therefore say. Every entry
// that any rank shows passes here.
#ifndef BATON_TESTS_SIMULATION_GROUPS_GROUND_TRUTH_H_
#define BATON_TESTS_SIMULATION_GROUPS_GROUND_TRUTH_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "transfer_agent/group/messages.h"

namespace baton::sim {

// One use of a room's id: opened by all ranks in one step.
struct Use {
  RoomKey room;
  std::set<group::SeatIndex> opened, finished, failed, released, lost;
  bool offered_shown = false, finished_shown = false, failed_shown = false, released_shown = false;
  uint64_t over_at = 0;
  bool over() const { return finished_shown || released_shown; }
};

class GroundTruth {
 public:
  explicit GroundTruth(group::SeatIndex seats) : seats_(seats) {}

  Use& Begin(const RoomKey& room) {
    uses_.push_back({room, {}, {}, {}, {}, {}});
    latest_[room] = uses_.size() - 1;
    return uses_.back();
  }
  size_t LatestOf(const RoomKey& room) { return latest_[room]; }
  bool Has(const RoomKey& room) const { return latest_.contains(room); }
  Use& Of(const RoomKey& room) { return uses_[latest_[room]]; }
  std::vector<Use>& uses() { return uses_; }
  // Engines that have ended are as good as released, and have failed what they had not finished. So
  // have agents that were not there for a while.
  void Ended(group::SeatIndex seat) { ended_.insert(seat); }
  void Absent(group::SeatIndex seat) { absent_.insert(seat); }

  // The rank shows `entry` at `index`.
  void Show(group::SeatIndex seat, uint64_t index, const group::Entry& entry);

  const std::string& violation() const { return violation_; }
  void Violate(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }
  uint64_t entries() const { return log_.size(); }

 private:
  void First(uint64_t index, const group::Entry& entry);

  const group::SeatIndex seats_;
  std::vector<Use> uses_;
  std::map<RoomKey, size_t> latest_;
  std::map<uint64_t, group::Entry> log_;
  std::set<group::SeatIndex> ended_;
  std::set<group::SeatIndex> absent_;
  std::string violation_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_GROUPS_GROUND_TRUTH_H_
