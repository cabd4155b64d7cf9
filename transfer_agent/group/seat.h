// One rank of a group that agrees on a log of rooms' ends: what it tells, what it holds, and, when
// its turn comes, how it leads. Pure: no thread, clock or I/O. Thread-compatible.
//
//   Seat seat({.seats = 2, .self = 0, .life = life}, HeldLog(kKept), now);
//   seat.Up(1, its_life);                // rank 1 can be reached
//   seat.Open(room, applied);            // its engine has applied so much, and opens a room
//   seat.Tell(room, Kind::kFinished, "");
//   for (Outgoing& out : seat.TakeOutgoing()) Send(out);
//   while (shown < seat.log().end()) Show(seat.log().at(shown++));
//
// What the seat holds (log()) must be kept before what it says is sent: an agent that starts anew
// begins with it. Messages between two seats arrive in order, or their connection is lost: Down at
// both ends, then Up. Protocol: docs/design/group-log.md.
#ifndef BATON_TRANSFER_AGENT_GROUP_SEAT_H_
#define BATON_TRANSFER_AGENT_GROUP_SEAT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/state_table.h"
#include "transfer_agent/group/campaign.h"
#include "transfer_agent/group/held_log.h"
#include "transfer_agent/group/leader.h"
#include "transfer_agent/group/messages.h"
#include "transfer_agent/group/seat_states.h"

namespace baton::group {

struct SeatOptions {
  SeatIndex seats = 1;
  SeatIndex self = 0;
  Life life;
  // An agent that ended before has served this life: what rooms it had is not known.
  bool returns = false;
  // Ends of rooms that a leader remembers. At least what the log keeps.
  uint64_t kept = 65536;
  // How long a seat is not reached before the next one takes its place.
  Duration patience = std::chrono::milliseconds(500);
  // How long before its rooms fail.
  Duration lease = std::chrono::seconds(3);
};

class Seat {
 public:
  // `log` is empty, or what the seat held when its agent ended.
  Seat(const SeatOptions& options, HeldLog log, TimePoint now);

  SeatState state() const { return machine_.state(); }
  const HeldLog& log() const { return log_; }
  // The group goes on without this rank: it was formed with an earlier engine of the rank, or the
  // rank lags by more than others keep. The caller takes its connections down, and the engine
  // learns that nothing is agreed with it before the server starts anew.
  bool outside() const { return outside_; }

  // False: the room has failed already, for every rank; the caller leaves it closed.
  bool Open(const RoomKey& room, uint64_t applied);
  // What became of an open room here. A room that was not opened, or is over, is ignored.
  void Tell(const RoomKey& room, Kind kind, std::string cause);
  // The rank's engine has ended, its agent has not.
  void EngineGone();

  // A seat can be reached, and is that life's.
  void Up(SeatIndex seat, Life life);
  void Down(SeatIndex seat, TimePoint now);
  void Receive(SeatIndex from, Message message);
  void Tick(TimePoint now);

  std::vector<Outgoing> TakeOutgoing();

 private:
  struct Reach {
    bool up = false;
    bool silent = false;
    Life life;
    TimePoint since;  // when it was lost
  };
  struct OpenRoom {
    uint64_t since = 0;
    std::vector<Report> told;
  };

  void On(SeatIndex from, const Prepare& prepare);
  void On(SeatIndex from, Promise promise);
  void On(SeatIndex from, Append append);
  void On(SeatIndex from, const Ack& ack);
  void On(SeatIndex from, const Outcomes& outcomes);
  void On(SeatIndex from, const Stale& stale);

  bool Leads(SeatIndex from, Term term) const;
  void Judge();
  void MeetAsLeader(SeatIndex seat);
  void Follow(Term term);
  void Stand();
  void TakeOffice();
  bool Stranger(SeatIndex seat) const;
  bool HasLeader(TimePoint now) const;
  bool IsNext(TimePoint now) const;
  void Say(const Report& report);
  Outcomes Everything() const;
  void ShowSettled();
  void Shown(const Entry& entry, uint64_t index);

  const SeatOptions options_;
  StateMachine<SeatState, SeatEvent> machine_{"group_seat", kSeatRows, SeatState::kFollowing};
  HeldLog log_;
  std::vector<Reach> reach_;
  std::unique_ptr<Campaign> campaign_;
  std::unique_ptr<Leader> leader_;
  // The leader of this term has sent its whole log over the connection that is up.
  bool in_step_ = false;
  bool outside_ = false;
  bool engine_gone_ = false;
  std::optional<uint64_t> forgot_;
  std::map<RoomKey, OpenRoom> rooms_;
  // Rooms that failed before this rank opened them, until they are released.
  std::map<RoomKey, uint64_t> failed_unopened_;
  // Entries below it have been looked at.
  uint64_t shown_ = 0;
  std::vector<Outgoing> out_;
};

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_SEAT_H_
