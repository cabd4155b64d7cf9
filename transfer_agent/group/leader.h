// A seat in office: turns what ranks report into entries, and brings every seat's log to its own.
// Pure; thread-compatible. An entry is settled when seats that decide hold it, in this term. What
// is not settled is bounded by the rooms that ranks have open: an id is used again when its end is
// shown.
#ifndef BATON_TRANSFER_AGENT_GROUP_LEADER_H_
#define BATON_TRANSFER_AGENT_GROUP_LEADER_H_

#include <cstdint>
#include <vector>

#include "transfer_agent/group/held_log.h"
#include "transfer_agent/group/messages.h"
#include "transfer_agent/group/tally.h"

namespace baton::group {

class Leader {
 public:
  // `log` has been adopted, and outlives this.
  Leader(SeatIndex seats, SeatIndex self, uint64_t kept, HeldLog* log);

  // A seat can be reached, for the first time or again: it gets all that it may lack, beyond the
  // `settled` that it is known to have.
  void Connect(SeatIndex seat, uint64_t settled);
  void Disconnect(SeatIndex seat) { followers_[seat].connected = false; }

  // What a seat says.
  void OnAck(SeatIndex seat, const Ack& ack);
  void OnOutcomes(SeatIndex seat, const Outcomes& outcomes);
  void OnEngineGone(SeatIndex seat) { Make(tally_.EngineGone(seat)); }
  void OnSilent(SeatIndex seat) { Make(tally_.Silent(seat)); }
  void OnBack(SeatIndex seat) { tally_.Back(seat); }

  // Appends what the seats lack to `out`.
  void Flush(std::vector<Outgoing>* out);

  size_t open_rooms() const { return tally_.open_rooms(); }

 private:
  struct Follower {
    bool connected = false;
    bool begun = false;    // has the whole log, since it was connected
    uint64_t settled = 0;  // there, at least
    uint64_t acked = 0;    // held there, in this term
    uint64_t next = 0;     // not sent yet
    uint64_t told_end = 0;
  };

  void Make(std::vector<Entry> entries);
  void Settle();
  Append For(Follower& follower) const;

  const SeatIndex seats_;
  const SeatIndex self_;
  HeldLog* log_;
  Tally tally_;
  std::vector<Follower> followers_;
};

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_LEADER_H_
