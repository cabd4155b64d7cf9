// What the ranks have reported to their leader, and which entries follow from it. A set, not a
// count: a report that is repeated changes nothing. Pure; thread-compatible.
#ifndef BATON_TRANSFER_AGENT_GROUP_TALLY_H_
#define BATON_TRANSFER_AGENT_GROUP_TALLY_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "transfer_agent/group/messages.h"

namespace baton::group {

class Tally {
 public:
  // Remembers the last `kept` ends of rooms.
  Tally(SeatIndex seats, uint64_t kept) : seats_(seats), kept_(kept) {}

  // An entry stands in the log at `index`, in order: those from before this leader first, then each
  // that the functions below have returned.
  void Logged(const Entry& entry, uint64_t index);

  // The entries that are due now. Each is Logged before the next call.
  std::vector<Entry> Hear(SeatIndex seat, const Report& report);
  // The rank's engine has ended: what it has not finished fails. It has nothing to release.
  std::vector<Entry> EngineGone(SeatIndex seat);
  // The rank has not been heard for a lease time: what it has not finished fails, until it is back.
  std::vector<Entry> Silent(SeatIndex seat);
  void Back(SeatIndex seat) { silent_.erase(seat); }
  // The rank's agent has lost what was opened no later than `since` and not reported.
  std::vector<Entry> Forgot(SeatIndex seat, uint64_t since);

  size_t open_rooms() const { return rooms_.size(); }

 private:
  struct Room {
    uint64_t since = 0;
    std::set<SeatIndex> offered, finished, released;
    bool offered_logged = false;
    std::optional<uint64_t> failed_at;
  };

  void Record(Room& room, SeatIndex seat, Kind kind);
  // What the room, as it is now, still lacks in the log.
  std::optional<Entry> Due(const RoomKey& key, const Room& room, SeatIndex seat,
                           const Report& report) const;
  std::optional<Entry> DueToAbsence(const RoomKey& key, const Room& room) const;
  bool Ended(const RoomKey& key, uint64_t since) const;
  bool ReleasedByAll(const Room& room) const;
  // The rank's agent has started anew since the room was opened, or since its failure was shown: a
  // failure that is shown later is answered by a rank that knows nothing of the room.
  bool Lost(const Room& room, SeatIndex seat) const;
  bool LostFailed(const Room& room, SeatIndex seat) const;
  std::vector<Entry> Sweep() const;

  const SeatIndex seats_;
  const uint64_t kept_;
  std::map<RoomKey, Room> rooms_;
  // Where a room's last use ended in the log, and in which order they did.
  std::map<RoomKey, uint64_t> ended_;
  std::deque<std::pair<RoomKey, uint64_t>> ends_;
  std::set<SeatIndex> engine_gone_;
  std::set<SeatIndex> silent_;
  std::map<SeatIndex, uint64_t> forgot_;
};

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_TALLY_H_
