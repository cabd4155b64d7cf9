// What the others answered to a seat that wants to lead: whether it may, and with which log. Pure;
// thread-compatible.
#ifndef BATON_TRANSFER_AGENT_GROUP_CAMPAIGN_H_
#define BATON_TRANSFER_AGENT_GROUP_CAMPAIGN_H_

#include <map>
#include <vector>

#include "transfer_agent/group/held_log.h"
#include "transfer_agent/group/messages.h"

namespace baton::group {

class Campaign {
 public:
  // `own` is the candidate's log, which has promised to the candidate's term and outlives this.
  Campaign(SeatIndex seats, SeatIndex self, Life life, const HeldLog* own);

  // A repeated answer changes nothing.
  void Add(SeatIndex from, Promise promise) { promises_.emplace(from, std::move(promise)); }

  // Enough seats have promised: all of them when the group was never formed, else a set that
  // decides, of those that formed it. Never for a seat that has lost what it held.
  bool Won() const;
  // An answer is from beyond what this seat holds: what lies between is kept nowhere any more.
  bool LeftBehind() const;
  // How much of the log the seat has settled, as far as it has said.
  uint64_t EndAt(SeatIndex seat) const;
  // Makes the log that of the one who has the latest. Won() holds.
  void Adopt(HeldLog* log) const;

 private:
  // Who formed the group; empty: nobody yet, as far as the answers go.
  std::vector<Life> Lives() const;
  bool Counts(SeatIndex seat, const std::vector<Life>& lives) const;

  const SeatIndex seats_;
  const SeatIndex self_;
  const Life life_;
  const HeldLog* own_;
  std::map<SeatIndex, Promise> promises_;
};

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_CAMPAIGN_H_
