// What the seats of a group tell each other, and what their log is made of. Values only; the
// protocol is docs/design/group-log.md.
#ifndef BATON_TRANSFER_AGENT_GROUP_MESSAGES_H_
#define BATON_TRANSFER_AGENT_GROUP_MESSAGES_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/ids.h"

namespace baton::group {

// Place of a rank in its group: ranks of one dp rank, sorted by (pp, cp, tp).
using SeatIndex = uint32_t;
// Drawn when a rank's engine attaches: whoever holds the same life holds the same log. 0: none.
using Life = StrongId<struct LifeTag, uint64_t>;

// A leader's time in office. Two seats never have the same term.
struct Term {
  uint64_t round = 0;
  SeatIndex seat = 0;

  constexpr auto operator<=>(const Term&) const = default;
  constexpr bool none() const { return round == 0; }
};

enum class Kind : uint8_t {
  kOffered = 1,  // prefill: the target's pages are known to every rank
  kFinished,     // decode: landed at every rank; prefill: every target has what it needs
  kFailed,       // the first failure anywhere; pages stay quarantined
  kReleased,     // of a failed room: no write can land, no page is read any more, at any rank
};

// Failed entries say whose failure it was, and why.
struct Entry {
  RoomKey room;
  Kind kind = Kind::kFinished;
  SeatIndex seat = 0;
  std::string cause;

  bool operator==(const Entry&) const = default;
};

// What one rank says of a room. A rank that has nothing to do says at once that it has finished.
struct Report {
  RoomKey room;
  Kind kind = Kind::kFinished;
  // How many entries the rank's engine had applied when it opened the room: tells a later use of an
  // id from an earlier one.
  uint64_t since = 0;
  std::string cause;
};

// Candidate to all: follow me. `end` is how much of the log is settled at the candidate.
struct Prepare {
  Term term;
  uint64_t end = 0;
};

// The answer: I take nothing from an earlier term any more; this is what I hold beyond `end`.
struct Promise {
  Term term;
  Life life;
  std::vector<Life> lives;  // the group as this seat knows it; empty: it was never formed
  Term log_term;            // the leader from whom `entries` are
  uint64_t end = 0;         // settled here
  uint64_t first = 0;       // of entries[0]; above what the candidate holds: it is left behind
  std::vector<Entry> entries;
};

// Leader to each: the log from `first` on, and how much of it is settled. The first one of a term,
// and after a connection was lost, begins at or below what the seat has settled and replaces all
// that the seat holds above; others follow the one before.
struct Append {
  Term term;
  std::vector<Life> lives;
  bool whole = false;
  uint64_t first = 0;
  std::vector<Entry> entries;
  uint64_t end = 0;
};

// The seat holds entries up to `held`, in this term, and has settled those up to `end`.
struct Ack {
  Term term;
  uint64_t held = 0;
  uint64_t end = 0;
};

// Seat to its leader: all that it has to say when it begins to follow, then what is new.
struct Outcomes {
  Term term;
  std::vector<Report> reports;
  bool engine_gone = false;
  // The agent has started anew: of rooms opened (`since`) no later than this it knows what it
  // reports, and has lost the others.
  std::optional<uint64_t> forgot;
};

// To a leader or candidate of an earlier term, or one that the group does not know any more.
struct Stale {
  Term promised;
  std::vector<Life> lives;
};

using Message = std::variant<Prepare, Promise, Append, Ack, Outcomes, Stale>;

// In order. Messages between two seats arrive in order or, when their connection is lost, not at
// all: then both hear Up again.
struct Outgoing {
  SeatIndex to = 0;
  Message message;
};

}  // namespace baton::group

#endif  // BATON_TRANSFER_AGENT_GROUP_MESSAGES_H_
